import { generateKeyPairSync, sign } from 'node:crypto'

/** A self-signed certificate, its own authority, made anew for each run so that no key lies in the repository. */
export function makeCertificate(hostName: string): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
  const name = sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(hostName)))))
  const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z')))
  const alternativeName = sequence(oid(0x55, 0x1d, 0x11), der(0x04, sequence(der(0x82, Buffer.from(hostName)))))
  const authority = sequence(oid(0x55, 0x1d, 0x13), der(0x01, Buffer.of(255)), der(0x04, sequence(der(0x01, Buffer.of(255)))))
  const version = der(0xa0, der(0x02, Buffer.of(2)))
  const body = sequence(
    version, der(0x02, Buffer.of(1)), algorithm, name, validity, name,
    publicKey.export({ type: 'spki', format: 'der' }), der(0xa3, sequence(alternativeName, authority)),
  )
  const certificate = sequence(body, algorithm, der(0x03, Buffer.of(0), sign('sha256', body, privateKey)))
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  return { cert: pem, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

/** One DER element (X.690, 8.1). */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

function sequence(...contents: Buffer[]): Buffer {
  return der(0x30, ...contents)
}

function oid(...encoded: number[]): Buffer {
  return der(0x06, Buffer.of(...encoded))
}
