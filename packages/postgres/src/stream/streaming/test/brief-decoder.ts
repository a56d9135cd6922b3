import { PgoutputDecoder } from '../../pgoutput-decoder.ts'
import type { BeginMessage, CommitMessage, DecodedRelation, PgoutputHandler, RelationMessage, StreamRow } from '../../pgoutput-messages.ts'
import type { Decoder } from './decode-streamed.ts'

interface Versioned extends DecodedRelation {
  readonly text: string
}

/** Of tables with one column that is named after the version of its table: a row by the wrong description shows. */
export class BriefDecoder implements PgoutputHandler<Versioned>, Decoder {
  readonly told: string[] = []
  readonly tables: string[] = []
  readonly #decoder = new PgoutputDecoder<Versioned>({ handler: this, compile: (message) => this.#compile(message) })

  decodeWithin(bytes: Buffer, from: number, to: number): void {
    this.#decoder.decode(bytes, from, to)
  }

  begin({ xid, finalLsn }: BeginMessage): void {
    this.told.push(`begin ${xid} ${finalLsn}`)
  }

  commit({ commitLsn }: CommitMessage): void {
    this.told.push(`commit ${commitLsn}`)
  }

  insert({ text }: Versioned, [value]: StreamRow): void {
    this.told.push(`insert ${text} ${String(value).trimEnd()}`)
  }

  origin(): void {
    this.told.push('origin')
  }

  update(): void {
    this.told.push('update')
  }

  delete(): void {
    this.told.push('delete')
  }

  truncate(): void {
    this.told.push('truncate')
  }

  message(): void {
    this.told.push('message')
  }

  #compile({ id, table, columns }: RelationMessage): Versioned {
    const text = `${table}.${columns[0]?.name.slice(1)}`
    this.tables.push(text)
    return { id, text, readers: columns.map(() => (bytes, from, to) => bytes.toString('latin1', from, to)) }
  }
}
