/** What a browser saves it as (RFC 6266): in ASCII, and as it is for those who read more. */
export function contentDisposition(fileName: string): string {
  const plain = fileName.replaceAll(/[^\w. -]/g, '_')
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(fileName).replaceAll(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)}`
}
