import { basename, dirname } from 'node:path'
import type { ObjectStorage } from '@tidemark/core'
import { fsStorage } from '@tidemark/node'
import { s3FromUrl } from '@tidemark/s3'
import { refusePlace, type PlaceRule } from './place-rule.ts'
import { locateTarget, type Environment } from './url.ts'

/** Where dumps are: a folder, or a bucket with what its keys begin with. */
export type StoragePlace =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'bucket'; readonly url: string }

/** Something in a storage, by its last name. */
export interface StoredThing {
  readonly place: StoragePlace
  readonly name: string
}

/** A folder, as a path or a `file:` URL, or `s3://bucket/prefix`. `undefined` after a fault. */
export function storageOption(text: string | undefined, rule: PlaceRule): StoragePlace | undefined {
  if (text === undefined || text === '') return refusePlace(rule, 'Is missing: a folder, or s3://bucket/prefix.')
  if (/^s3:\/\/[^/?#@]+(\/[^?#]*)?$/.test(text)) return { kind: 'bucket', url: text.replace(/\/+$/, '') }
  const located = locateTarget(text)
  if ('location' in located && located.location.kind === 'file') return { kind: 'folder', path: located.location.path }
  return refusePlace(rule, 'Must be a folder, or s3://bucket/prefix.')
}

/** A dump or a file in such a place. */
export function storedOption(text: string | undefined, rule: PlaceRule): StoredThing | undefined {
  const place = storageOption(text, rule)
  if (place === undefined) return undefined
  if (place.kind === 'folder') return { place: { kind: 'folder', path: dirname(place.path) }, name: basename(place.path) }
  const [, url, name] = /^(s3:\/\/.+)\/([^/]+)$/.exec(place.url) ?? []
  return url === undefined || name === undefined ? refusePlace(rule, 'Must name a dump in the bucket: s3://bucket/prefix/export_….') : { place: { kind: 'bucket', url }, name }
}

/** Credentials of a bucket are in the environment, by the names that the AWS tools have. Errors: `SECRET_MISSING`. */
export function openStorage(place: StoragePlace, environment: Environment, { create }: { readonly create: boolean }): ObjectStorage {
  return place.kind === 'folder' ? fsStorage(place.path, { create }) : s3FromUrl(place.url, environment)
}

/** As it is written on the command line. */
export function placeText(place: StoragePlace): string {
  return place.kind === 'folder' ? place.path : place.url
}
