/**
 * Windows names of time zones by the area of their IANA name, without " Standard Time" (Unicode CLDR: windowsZones).
 * Graph knows both kinds of names; we have to know what an hour in them means.
 */
const WINDOWS = `Europe:GMT=London,W. Europe=Berlin,Central Europe=Budapest,Romance=Paris,Central European=Warsaw,GTB=Bucharest,E. Europe=Chisinau,FLE=Kiev,Turkey=Istanbul,Belarus=Minsk,Russian=Moscow,Russia Time Zone 3=Samara
Africa:Morocco=Casablanca,W. Central Africa=Lagos,Egypt=Cairo,South Africa=Johannesburg,South Sudan=Juba,Sudan=Khartoum,Libya=Tripoli,Namibia=Windhoek,E. Africa=Nairobi
America:Aleutian=Adak,Alaskan=Anchorage,Pacific (Mexico)=Tijuana,Pacific=Los_Angeles,US Mountain=Phoenix,Mountain (Mexico)=Mazatlan,Mountain=Denver,Yukon=Whitehorse,Central America=Guatemala,Central=Chicago,Central (Mexico)=Mexico_City,Canada Central=Regina,SA Pacific=Bogota,Eastern (Mexico)=Cancun,Eastern=New_York,Haiti=Port-au-Prince,Cuba=Havana,US Eastern=Indianapolis,Turks And Caicos=Grand_Turk,Paraguay=Asuncion,Atlantic=Halifax,Venezuela=Caracas,Central Brazilian=Cuiaba,SA Western=La_Paz,Pacific SA=Santiago,Newfoundland=St_Johns,Tocantins=Araguaina,E. South America=Sao_Paulo,SA Eastern=Cayenne,Argentina=Buenos_Aires,Greenland=Godthab,Magallanes=Punta_Arenas,Saint Pierre=Miquelon
Atlantic:Greenwich=Reykjavik
Asia:Jordan=Amman,Middle East=Beirut,Syria=Damascus,West Bank=Hebron,Israel=Jerusalem,Arabic=Baghdad,Arab=Riyadh,Iran=Tehran,Arabian=Dubai,Azerbaijan=Baku,Georgian=Tbilisi,Caucasus=Yerevan,Afghanistan=Kabul,West Asia=Tashkent,Ekaterinburg=Yekaterinburg,Pakistan=Karachi,India=Calcutta,Sri Lanka=Colombo,Nepal=Katmandu,Central Asia=Bishkek,Bangladesh=Dhaka,Myanmar=Rangoon,SE Asia=Bangkok,Altai=Barnaul,W. Mongolia=Hovd,North Asia=Krasnoyarsk,N. Central Asia=Novosibirsk,China=Shanghai,North Asia East=Irkutsk,Transbaikal=Chita,North Korea=Pyongyang,Korea=Seoul,Russia Time Zone 10=Srednekolymsk,Russia Time Zone 11=Kamchatka
Australia:W. Australia=Perth,Aus Central W.=Eucla,Cen. Australia=Adelaide,AUS Central=Darwin,E. Australia=Brisbane,AUS Eastern=Sydney,Tasmania=Hobart
Pacific:Hawaiian=Honolulu,Easter Island=Easter,West Pacific=Port_Moresby,Central Pacific=Guadalcanal,New Zealand=Auckland,Chatham Islands=Chatham,Tonga=Tongatapu,Samoa=Apia,Line Islands=Kiritimati`;

/** The IANA name behind a Windows name; any other name as it is. */
export function ianaName(zone: string): string {
  // Beyond ASCII there are letters that fold into ours.
  if (!/^[\x20-\x7e]*$/.test(zone) || !/ standard time|^russia time zone|^utc[+-]/i.test(zone)) return zone;
  const wanted = zone.toLowerCase().replace(" standard time", "");
  for (const row of WINDOWS.split("\n")) {
    const [area, names = ""] = row.split(":");
    const pair = names.split(",").find((name) => name.toLowerCase().startsWith(`${wanted}=`));
    if (pair !== undefined) return `${area}/${pair.split("=")[1]}`;
  }
  // Many are named after the city as IANA does it; some are fixed offsets, which IANA counts the other way.
  const city = `/${wanted.replaceAll(" ", "_")}`;
  const fixed = /^utc([+-])0?(\d+)$/.exec(wanted);
  if (fixed !== null) return `Etc/GMT${fixed[1] === "+" ? "-" : "+"}${fixed[2]}`;
  return Intl.supportedValuesOf("timeZone").find((name) => name.toLowerCase().endsWith(city)) ?? zone;
}

const DAY_MS = 86_400_000;

/** Milliseconds that a zone is ahead of UTC at an instant; undefined when there is no such zone. */
function offsetAt(instantMs: number, iana: string): number | undefined {
  // Offsets such as `+02:00` are zones to some engines, but never to Graph.
  if (!/^[A-Za-z][\x20-\x7e]*$/.test(iana)) return undefined;
  try {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: iana, timeZoneName: "longOffset" });
    const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(format.format(instantMs)) ?? [];
    return (sign === "-" ? -60_000 : 60_000) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  } catch {
    return undefined;
  }
}

export const isTimeZone = (zone: string): boolean => offsetAt(0, ianaName(zone)) !== undefined;

/** The wall time `YYYY-MM-DDTHH:MM:SS` of an instant. */
export function wallTime(instantMs: number, zone: string): string {
  return new Date(instantMs + (offsetAt(instantMs, ianaName(zone)) ?? 0)).toISOString().slice(0, 19);
}

/**
 * The instant of a wall time, written as milliseconds as if it were UTC. An hour that comes twice is its first; one that
 * the clocks skip is moved on by the hour that was skipped, and says so.
 */
export function instantOf(wallMs: number, zone: string): { readonly ms: number; readonly isSkipped: boolean } {
  const iana = ianaName(zone);
  const at = (instantMs: number) => offsetAt(instantMs, iana) ?? 0;
  const before = wallMs - at(wallMs - DAY_MS);
  const exact = [before, wallMs - at(wallMs + DAY_MS)].find((ms) => ms + at(ms) === wallMs);
  return { ms: exact ?? before, isSkipped: exact === undefined };
}
