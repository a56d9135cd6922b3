/** A key as the path of a URL: everything but the unreserved characters of RFC 3986 in hex, as signing wants it, and slashes as they are. */
export function encodeKey(key: string): string {
  return key.split('/').map(encodeSegment).join('/')
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
