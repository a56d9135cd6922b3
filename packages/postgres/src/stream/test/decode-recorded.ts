import { planColumn } from '../../type-catalogue.ts'
import { PgoutputDecoder } from '../pgoutput-decoder.ts'
import type { DecodedRelation, PgoutputHandler, RelationMessage } from '../pgoutput-messages.ts'
import { compileValueReader } from '../value-reader.ts'
import { RECORDED_TYPES } from './recorded-messages.ts'

export interface NamedRelation extends DecodedRelation {
  readonly name: string
}

/** A decoder that knows the recorded types, and what it has told. */
export class RecordingDecoder implements PgoutputHandler<NamedRelation> {
  readonly told: unknown[] = []
  readonly relations: RelationMessage[] = []
  readonly #decoder = new PgoutputDecoder<NamedRelation>({ handler: this, compile: (message) => this.#compile(message) })

  decode(message: Buffer): void {
    this.decodeWithin(message, 0, message.length)
  }

  decodeWithin(bytes: Buffer, from: number, to: number): void {
    this.#decoder.decode(bytes, from, to)
  }

  begin(message: object): void {
    this.told.push({ begin: message })
  }

  commit(message: object): void {
    this.told.push({ commit: message })
  }

  origin(name: string): void {
    this.told.push({ origin: name })
  }

  insert({ name }: NamedRelation, after: readonly unknown[]): void {
    this.told.push({ insert: name, after })
  }

  update({ name }: NamedRelation, rows: object): void {
    this.told.push({ update: name, ...rows })
  }

  delete({ name }: NamedRelation, before: readonly unknown[], kind: string): void {
    this.told.push({ delete: name, before, kind })
  }

  truncate(relations: readonly NamedRelation[], options: object): void {
    this.told.push({ truncate: relations.map(({ name }) => name), ...options })
  }

  message(message: object): void {
    this.told.push({ message })
  }

  #compile(message: RelationMessage): NamedRelation {
    this.relations.push(message)
    const readers = message.columns.map(({ name, typeOid }, place) => compileValueReader(planColumn(
      { name, ordinal: place + 1, nullable: true }, { name: RECORDED_TYPES.get(typeOid) ?? 'unknown', kind: typeOid === 16388 ? 'e' : 'b', isArray: false }, { onUnrepresentable: 'text' },
    )))
    return { id: message.id, name: message.table, readers }
  }
}
