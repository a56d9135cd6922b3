/** The environment without what an npm or npx around this process says of its own run: one inside would take it for itself. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const own = ['npm_config_package', 'npm_config_call', 'npm_config_yes', 'npm_config_workspace', 'NODE_OPTIONS']
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.includes(name)))
}
