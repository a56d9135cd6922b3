import type { ObjectContext, ObjectQuery, StarbaseObject } from './object-contract.ts'
import type { CdcSelection } from './object/cdc-selection.ts'
import { ObjectHost } from './object/object-host.ts'
import type { TidemarkOptions } from './object/tidemark-options.ts'
import type { StarbaseScope } from './starbase-scope.ts'
import { SOCKET_HOST, type TidemarkMethods } from './tidemark-stub.ts'

/** A class like StarbaseDB's of its object. */
export type StarbaseObjectClass = new (context: never, environment: never) => StarbaseObject

type EnvironmentOf<Base extends StarbaseObjectClass> = ConstructorParameters<Base>[1]

/** The class with Tidemark in it. */
export type WithTidemark<Base extends StarbaseObjectClass> = new (...parameters: ConstructorParameters<Base>) => InstanceType<Base> & TidemarkMethods

/**
 * StarbaseDB's object with Tidemark in it, beside its database: export the result under the name of the object's class. The instance's own alarm, which
 * its cron plugin sets, and those of Tidemark share the one that an object has. Everything that is kept is in tables whose names begin with `tmp_`.
 *
 * `configure` is called when the object is made. Options that are wrong are an error of its constructor, so that the instance answers nothing before they are mended: `CONFIG_INVALID`.
 */
export function withTidemark<Base extends StarbaseObjectClass>(base: Base, configure: (environment: EnvironmentOf<Base>) => TidemarkOptions): WithTidemark<Base> {
  // What is known of the class, and what the platform gives its constructor.
  const Instance = base as unknown as new (context: ObjectContext, environment: EnvironmentOf<Base>) => StarbaseObject
  class TidemarkObject extends Instance implements TidemarkMethods {
    readonly #host: ObjectHost

    constructor(context: ObjectContext, environment: EnvironmentOf<Base>) {
      super(context, environment)
      this.#host = new ObjectHost({ context, options: configure(environment), alarm: () => super.alarm() })
    }

    override async fetch(request: Request): Promise<Response> {
      const { hostname, pathname } = new URL(request.url)
      return hostname === SOCKET_HOST ? this.#host.socket(pathname.slice(1)) : super.fetch(request)
    }

    override executeQuery(query: ObjectQuery): Promise<unknown> {
      const execute = (): Promise<unknown> => super.executeQuery(query)
      // The constructor of the class makes tables already.
      return #host in this ? this.#host.watched(execute) : execute()
    }

    override alarm(): Promise<void> {
      return this.#host.alarm()
    }

    override getAlarm(): Promise<number | null> {
      return this.#host.getAlarm()
    }

    override setAlarm(at: number | Date): Promise<void> {
      return this.#host.setAlarm(at)
    }

    override deleteAlarm(): Promise<void> {
      return this.#host.deleteAlarm()
    }

    tidemark(request: Request, scope: StarbaseScope): Promise<Response> {
      return this.#host.handle(request, scope)
    }

    async tidemarkTicket(selection: CdcSelection): Promise<string> {
      return this.#host.ticket(selection)
    }

    tidemarkFlush(): Promise<void> {
      return this.#host.flush()
    }
  }
  // It is what was given, with these methods.
  return TidemarkObject as unknown as WithTidemark<Base>
}
