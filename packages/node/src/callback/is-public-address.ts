import ipaddr from 'ipaddr.js'

/** Whether an address is one of the internet at large: not of this host, a private network, a link, a group or a use of its own (IANA's special-purpose registries). */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  // An IPv4 address in IPv6's clothes leads where the IPv4 address does.
  return ipaddr.process(address).range() === 'unicast'
}
