const THEMES = ['auto', 'light', 'dark'] as const
const KEY = 'tidemark-theme'

/** Goes through the themes; `auto` is what the system has. Remembered where the browser allows it. */
export function themeButton(button: HTMLElement): void {
  let index = Math.max(0, THEMES.findIndex((theme) => theme === stored()))
  const show = (): void => {
    const theme = THEMES[index] ?? 'auto'
    document.documentElement.dataset['theme'] = theme
    button.textContent = `Theme: ${theme}`
  }
  button.addEventListener('click', () => {
    index = (index + 1) % THEMES.length
    store(THEMES[index] ?? 'auto')
    show()
  })
  show()
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

function store(theme: string): void {
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // It is forgotten with the page.
  }
}
