import { describe, expect, it } from 'vitest'
import { RetentionMeter, type RetentionLook } from './retention-meter.ts'

function look(retainedBytes: number, other: Partial<RetentionLook> = {}): RetentionLook {
  return { health: 'ok', retainedBytes, lagBytes: 0, safeBytes: undefined, maxRetainedBytes: 10_000, ...other }
}

describe('what a slot keeps', () => {
  it('grows at a rate, which says when its limit is reached', () => {
    const meter = new RetentionMeter()
    expect(meter.observe(look(1000), 0)).toMatchObject({ bytesPerSecond: undefined, exhaustedInMs: undefined })
    expect(meter.observe(look(2000), 2000)).toMatchObject({ bytesPerSecond: 500, exhaustedInMs: 16_000 })
    // The server may be nearer to giving up than the sizes say.
    expect(meter.observe(look(3000, { safeBytes: 1000 }), 4000)).toMatchObject({ bytesPerSecond: 500, exhaustedInMs: 2000 })
    expect(meter.observe(look(12_000), 6000)).toMatchObject({ exhaustedInMs: 0 })
  })

  it('has no such time where it shrinks, or without a limit', () => {
    const meter = new RetentionMeter()
    meter.observe(look(5000), 0)
    expect(meter.observe(look(1000), 1000)).toMatchObject({ bytesPerSecond: -4000, exhaustedInMs: undefined })
    expect(meter.observe(look(9000, { maxRetainedBytes: undefined }), 2000)).toMatchObject({ bytesPerSecond: 2000, exhaustedInMs: undefined })
  })

  it('forgets how it went long ago', () => {
    const meter = new RetentionMeter()
    meter.observe(look(0), 0)
    meter.observe(look(9000), 290_000)
    expect(meter.observe(look(9000), 310_000)).toMatchObject({ bytesPerSecond: 0 })
    // Two looks at one moment, as by a clock that stands, say nothing.
    expect(new RetentionMeter().observe(look(1), 5).bytesPerSecond).toBeUndefined()
  })
})
