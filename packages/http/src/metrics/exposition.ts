/** One metric with its samples, in the text format of Prometheus. */
export interface Metric {
  readonly name: `tidemark_${string}`
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Metrics without a sample are left out. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.filter(({ samples }) => samples.length > 0).map(metricText).join('')
}

function metricText({ name, type, help, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => `${name}{${labelsText(labels)}} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`).join(',')
}

/** Names of tables and peers may be anything. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
