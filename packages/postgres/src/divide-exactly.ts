/** 2^27 + 1 splits a double in two halves of 26 bits (Veltkamp; Dekker, "A floating-point technique for extending the available precision", 1971). */
const SPLITTER = 134_217_729

/** Ten times what the last two roundings below can add up to, relative to the correction. */
const UNCERTAINTY = 2 ** -48

/**
 * `(head * scale + tail) / divisor`, correctly rounded, for whole numbers: head below 10^15, scale 10 or 100, tail below scale, and a
 * divisor from 10 to 10^22. `undefined` where the quotient lies so near the middle between two doubles that this can't tell.
 *
 * The dividend and the first quotient's remainder are held exactly, in two doubles each. The second quotient corrects the
 * first; its own error is bounded, and where both bounds round to the same double, so does the value between them.
 */
export function divideExactly(head: number, { tail, scale, divisor }: { readonly tail: number; readonly scale: number; readonly divisor: number }): number | undefined {
  const product = head * scale
  const dividend = product + tail
  const dividendError = productError(head, scale, product) + (tail - (dividend - product))
  const quotient = dividend / divisor
  const back = quotient * divisor
  const remainder = dividend - back - productError(quotient, divisor, back)
  const correction = (remainder + dividendError) / divisor
  const doubt = Math.abs(correction) * UNCERTAINTY
  const low = quotient + (correction - doubt)
  return low === quotient + (correction + doubt) ? low : undefined
}

/** What the product lost by rounding: `a * b` is `product` and this, exactly. */
function productError(a: number, b: number, product: number): number {
  const aSplit = SPLITTER * a
  const aHigh = aSplit - (aSplit - a)
  const aLow = a - aHigh
  const bSplit = SPLITTER * b
  const bHigh = bSplit - (bSplit - b)
  const bLow = b - bHigh
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow
}
