import assert from "node:assert/strict";
import { test } from "node:test";
import { ianaName } from "../../src/tools/time-zone.ts";

/** Unicode CLDR: windowsZones, territory 001, without " Standard Time"; those that are named after their city are left out. */
const WINDOWS = `Europe:GMT=London,W. Europe=Berlin,Central Europe=Budapest,Romance=Paris,Central European=Warsaw,GTB=Bucharest,E. Europe=Chisinau,FLE=Kiev,Turkey=Istanbul,Belarus=Minsk,Russian=Moscow,Russia Time Zone 3=Samara
Africa:Morocco=Casablanca,W. Central Africa=Lagos,Egypt=Cairo,South Africa=Johannesburg,South Sudan=Juba,Sudan=Khartoum,Libya=Tripoli,Namibia=Windhoek,E. Africa=Nairobi
America:Aleutian=Adak,Alaskan=Anchorage,Pacific (Mexico)=Tijuana,Pacific=Los_Angeles,US Mountain=Phoenix,Mountain (Mexico)=Mazatlan,Mountain=Denver,Yukon=Whitehorse,Central America=Guatemala,Central=Chicago,Central (Mexico)=Mexico_City,Canada Central=Regina,SA Pacific=Bogota,Eastern (Mexico)=Cancun,Eastern=New_York,Haiti=Port-au-Prince,Cuba=Havana,US Eastern=Indianapolis,Turks And Caicos=Grand_Turk,Paraguay=Asuncion,Atlantic=Halifax,Venezuela=Caracas,Central Brazilian=Cuiaba,SA Western=La_Paz,Pacific SA=Santiago,Newfoundland=St_Johns,Tocantins=Araguaina,E. South America=Sao_Paulo,SA Eastern=Cayenne,Argentina=Buenos_Aires,Greenland=Godthab,Magallanes=Punta_Arenas,Saint Pierre=Miquelon
Atlantic:Greenwich=Reykjavik
Asia:Jordan=Amman,Middle East=Beirut,Syria=Damascus,West Bank=Hebron,Israel=Jerusalem,Arabic=Baghdad,Arab=Riyadh,Iran=Tehran,Arabian=Dubai,Azerbaijan=Baku,Georgian=Tbilisi,Caucasus=Yerevan,Afghanistan=Kabul,West Asia=Tashkent,Ekaterinburg=Yekaterinburg,Pakistan=Karachi,India=Calcutta,Sri Lanka=Colombo,Nepal=Katmandu,Central Asia=Bishkek,Bangladesh=Dhaka,Myanmar=Rangoon,SE Asia=Bangkok,Altai=Barnaul,W. Mongolia=Hovd,North Asia=Krasnoyarsk,N. Central Asia=Novosibirsk,China=Shanghai,North Asia East=Irkutsk,Transbaikal=Chita,North Korea=Pyongyang,Korea=Seoul,Russia Time Zone 10=Srednekolymsk,Russia Time Zone 11=Kamchatka
Australia:W. Australia=Perth,Aus Central W.=Eucla,Cen. Australia=Adelaide,AUS Central=Darwin,E. Australia=Brisbane,AUS Eastern=Sydney,Tasmania=Hobart
Pacific:Hawaiian=Honolulu,Easter Island=Easter,West Pacific=Port_Moresby,Central Pacific=Guadalcanal,New Zealand=Auckland,Chatham Islands=Chatham,Tonga=Tongatapu,Samoa=Apia,Line Islands=Kiritimati`;
/** Names that stand behind none of the others: their own offset. */
const FIXED = ["UTC-11", "UTC-09", "UTC-08", "UTC-02", "UTC+12", "UTC+13"];

const WEEK_MS = 7 * 86_400_000;
const SINCE = Date.UTC(2000, 0, 1);
const UNTIL = Date.UTC(2037, 11, 31);

/** Reads the offset at an instant, such as `GMT+05:30`. */
function clockOf(zone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  return (ms) => format.format(ms).split(", ")[1] ?? "";
}

/** Every change of the clocks, to the minute. */
function changesOf(zone: string): string[] {
  const clock = clockOf(zone);
  const changes = [clock(SINCE)];
  for (let week = SINCE; week < UNTIL; week += WEEK_MS) {
    const after = clock(week + WEEK_MS);
    if (clock(week) === after) continue;
    let [early, late] = [week, week + WEEK_MS];
    while (late - early > 60_000) {
      const middle = Math.floor((early + late) / 2);
      if (clock(middle) === after) late = middle;
      else early = middle;
    }
    changes.push(`${Math.round(late / 60_000)} ${after}`);
  }
  return changes;
}

/** Windows wrote the word in the middle of some names. */
const windowsName = (short: string) =>
  /^Russia Time/.test(short) ? short : short.replace(/( \(.*\))?$/, " Standard Time$1");

for (const row of WINDOWS.split("\n")) {
  const [area, names = ""] = row.split(":");
  for (const pair of names.split(",")) {
    const [short = "", city] = pair.split("=");
    const name = windowsName(short);
    test(`TL-05: ${name} has the clocks of ${area}/${city} since 2000`, () => {
      assert.notEqual(ianaName(name), name);
      assert.deepEqual(changesOf(ianaName(name)), changesOf(`${area}/${city}`));
    });
  }
}

test("TL-05: Dateline Standard Time is twelve hours behind UTC, all year", () => {
  assert.deepEqual(changesOf(ianaName("Dateline Standard Time")), ["GMT-12:00"]);
});

for (const name of FIXED) {
  test(`TL-05: ${name} is a fixed offset`, () => {
    const [offset, ...more] = changesOf(ianaName(name));
    assert.deepEqual([offset, more], [`GMT${name.slice(3)}:00`, []]);
  });
}
