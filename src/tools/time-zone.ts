/**
 * Windows names of time zones, without " Standard Time" (Unicode CLDR: windowsZones). A row starts with how IANA names start;
 * behind `=` stands the rest of the name, where it is not the Windows name. Since 2000 the clocks of both have agreed.
 * Etc/GMT counts the hours to UTC, not from it. Graph knows both kinds of names; we have to know what an hour in them means.
 */
const WINDOWS = `europe/:w. europe=berlin,central europe=berlin,romance=berlin,central european=berlin,gtb=kiev,e. europe=chisinau,fle=kiev,belarus=minsk,russian=moscow,russia time zone 3=samara
:greenwich=gmt,gmt=gb,new zealand=nz,turkey,egypt,libya,cuba,israel,iran
africa/:morocco=casablanca,south sudan=juba,sudan=khartoum,namibia=windhoek
etc/gmt-:utc+12=12,utc+13=13,w. central africa=1,south africa=2,e. africa=3,arab=3,arabian=4,west asia=5,se asia=7,china=8,korea=9,e. australia=10,west pacific=10,central pacific=11,line islands=14
etc/gmt+:dateline=12,utc-11=11,utc-09=9,utc-08=8,utc-02=2,us mountain=7,canada central=6,sa pacific=5,sa western=4,sa eastern=3,hawaiian=10
us/:us eastern=east-indiana,aleutian,pacific,mountain,central,eastern
america/:alaskan=anchorage,pacific (mexico)=tijuana,mountain (mexico)=mazatlan,central america=guatemala,central (mexico)=mexico_city,eastern (mexico)=cancun,haiti=port-au-prince,turks and caicos=grand_turk,paraguay=asuncion,venezuela=caracas,central brazilian=cuiaba,pacific sa=santiago,tocantins=araguaina,e. south america=sao_paulo,argentina=buenos_aires,greenland=godthab,magallanes=punta_arenas,saint pierre=miquelon
canada/:yukon,atlantic,newfoundland
asia/:jordan=amman,middle east=beirut,syria=damascus,west bank=hebron,arabic=baghdad,azerbaijan=baku,georgian=tbilisi,caucasus=yerevan,afghanistan=kabul,ekaterinburg=yekaterinburg,pakistan=karachi,india=calcutta,sri lanka=colombo,nepal=katmandu,central asia=bishkek,bangladesh=dhaka,myanmar=rangoon,altai=barnaul,w. mongolia=hovd,north asia=krasnoyarsk,n. central asia=novosibirsk,north asia east=irkutsk,transbaikal=chita,north korea=pyongyang,russia time zone 10=srednekolymsk,russia time zone 11=kamchatka
australia/:w. australia=perth,aus central w.=eucla,cen. australia=adelaide,aus central=darwin,aus eastern=sydney,tasmania
pacific/:easter island=easter,chatham islands=chatham,tonga=tongatapu,samoa=apia`;

/** The IANA name behind a Windows name, in whatever case; any other name as it is. */
export function ianaName(zone: string): string {
  // Beyond ASCII there are letters that fold into ours.
  if (!/^(?=[ -~]*$)(utc[+-]|russia time zone|.* standard time)/i.test(zone)) return zone;
  const wanted = zone.toLowerCase().replace(" standard time", "");
  for (const row of WINDOWS.split("\n")) {
    const [start = "", ...names] = row.split(/[:,]/);
    for (const pair of names) {
      const [name = "", place = name] = pair.split("=");
      if (name === wanted) return start + place;
    }
  }
  // Many are named after the city as IANA does it.
  const city = `/${wanted.replaceAll(" ", "_")}`;
  return Intl.supportedValuesOf("timeZone").find((name) => name.toLowerCase().endsWith(city)) ?? zone;
}

export const DAY_MS = 86_400_000;

/** Milliseconds that a zone is ahead of UTC at an instant; undefined when there is no such zone. */
function offsetAt(instantMs: number, iana: string): number | undefined {
  // Offsets such as `+02:00` are zones to some engines, but never to Graph.
  if (!/^[A-Za-z][\x20-\x7e]*$/.test(iana)) return undefined;
  try {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: iana, timeZoneName: "longOffset" });
    const [, offset = "Z"] = /GMT([+-]\d\d:\d\d)/.exec(format.format(instantMs)) ?? [];
    return -Date.parse(`1970-01-01T00:00${offset}`);
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
