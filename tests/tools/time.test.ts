import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resolveTimeZone, WINDOWS_NAMES, wallToInstant } from "../../fixtures/graph/time-zone.ts";
import { readTimes } from "../../src/tools/time.ts";
import { ianaName, instantOf, isTimeZone, wallTime } from "../../src/tools/time-zone.ts";

function start(text: string, zone = "UTC", precision: "exact" | "shown" = "exact") {
  const read = readTimes([text], zone, precision);
  return "field" in read ? read.description : read[0];
}

const READ: readonly (readonly [text: string, zone: string, utc: string, dateTime: string, timeZone: string])[] = [
  ["2026-03-02T09:00", "UTC", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00", "UTC"],
  ["2026-03-02T09:00:30.1234567", "Europe/Zagreb", "2026-03-02T08:00:30Z", "2026-03-02T09:00:30", "Europe/Zagreb"],
  ["2026-03-02", "America/New_York", "2026-03-02T05:00:00Z", "2026-03-02T00:00:00", "America/New_York"],
  [
    "2026-07-02T09:00",
    "Central European Standard Time",
    "2026-07-02T07:00:00Z",
    "2026-07-02T09:00:00",
    "Central European Standard Time",
  ],
  ["2026-03-02T09:00:00Z", "Europe/Zagreb", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00", "UTC"],
  ["2026-03-02T09:00:00+05:30", "Europe/Zagreb", "2026-03-02T03:30:00Z", "2026-03-02T03:30:00", "UTC"],
  ["2026-03-02T00:30:00-11:00", "UTC", "2026-03-02T11:30:00Z", "2026-03-02T11:30:00", "UTC"],
  ["2026-03-02t09:00:00z", "UTC", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00", "UTC"],
  ["2026-03-02 09:00", "UTC", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00", "UTC"],
  ["2026-03-02T09:00[Asia/Tokyo]", "Europe/Zagreb", "2026-03-02T00:00:00Z", "2026-03-02T09:00:00", "Asia/Tokyo"],
];

for (const [text, zone, utc, dateTime, timeZone] of READ) {
  test(`TL-05 TL-06: ${text} in ${zone} is ${utc}`, () => {
    const moment = start(text, zone);
    assert.deepEqual(moment, { ms: Date.parse(utc), dateTime, timeZone });
  });
}

// biome-ignore format: a list reads best filled
const REFUSED = ["", "today", "2026-02-30", "2026-13-01T09:00", "2026-03-02T24:00", "2026-03-02T09:60", "2026-03-02T9:00",
  "2026-3-2", "02.03.2026", "2026-03-02T09:00+99:00", "2026-03-02T09:00:00+0100", "20260302T090000Z", "2026-03-02T09:00[Mars/Phobos]",
  "2026-03-02T09:00[]", "2026-03-02T09:00Zjunk"];

for (const text of REFUSED) {
  test(`TL-05: ${JSON.stringify(text)} is no time`, () => assert.equal(typeof start(text), "string"));
}

test("TL-05: the refusal shows a time with an offset too: without it another hour would be meant", () => {
  assert.match(String(start("2026-03-02T09:00+0100")), /2026-03-02T09:00 or 2026-03-02T09:00\+01:00/);
});

test("TL-06: an hour that the clocks skip is refused for a meeting and moved on for a view", () => {
  assert.match(String(start("2026-03-29T02:30", "Europe/Zagreb")), /clocks go forward/);
  const shown = start("2026-03-29T02:30", "Europe/Zagreb", "shown");
  assert.ok(typeof shown === "object" && shown.ms === Date.parse("2026-03-29T01:30:00Z"));
});

test("TL-06: an hour that comes twice is its first", () => {
  const moment = start("2026-10-25T02:30", "Europe/Zagreb");
  assert.ok(typeof moment === "object" && moment.ms === Date.parse("2026-10-25T00:30:00Z"));
});

test("TL-05: an end at or before its start is refused; an hour across the change of clocks is not", () => {
  const read = (from: string, to: string, zone = "UTC") => !("field" in readTimes([from, to], zone, "exact"));
  assert.equal(read("2026-03-02T09:00", "2026-03-02T09:00"), false);
  assert.equal(read("2026-03-02T09:00", "2026-03-02T08:59"), false);
  assert.equal(read("2026-03-02T09:00Z", "2026-03-02T09:30", "Europe/Zagreb"), false);
  assert.equal(read("2026-03-29T01:59", "2026-03-29T03:00", "Europe/Zagreb"), true);
});

for (const name of WINDOWS_NAMES) {
  test(`TL-05: ${name} is the zone that Graph takes it for`, () => {
    for (const wall of ["2026-01-15T12:00:00", "2026-07-15T12:00:00"]) {
      assert.equal(instantOf(Date.parse(`${wall}Z`), name).ms, wallToInstant(wall, name), resolveTimeZone(name));
    }
  });
}

// biome-ignore format: a list reads best filled
const WINDOWS: readonly (readonly [windows: string, iana: string])[] = [
  ["Omsk Standard Time", "Asia/Omsk"], ["Tomsk Standard Time", "Asia/Tomsk"], ["Azores Standard Time", "Atlantic/Azores"],
  ["Cape Verde Standard Time", "Atlantic/Cape_Verde"], ["Lord Howe Standard Time", "Australia/Lord_Howe"],
  ["Pacific Standard Time (Mexico)", "America/Tijuana"], ["UTC-11", "Etc/GMT+11"], ["Dateline Standard Time", "Etc/GMT+12"], ["UTC+12", "Etc/GMT-12"], ["UTC-02", "Etc/GMT+2"],
  ["Russia Time Zone 11", "Asia/Kamchatka"], ["Mauritius Standard Time", "Indian/Mauritius"],
];

for (const [windows, iana] of WINDOWS) {
  test(`TL-05: ${windows} is ${iana}`, () => {
    assert.equal(ianaName(windows).toLowerCase(), iana.toLowerCase());
    assert.equal(isTimeZone(windows), true);
  });
}

for (const name of [
  "",
  "Mars/Phobos",
  "+02:00",
  "Central",
  "Paris",
  "Mars Standard Time",
  'UTC"',
  "UTC\r\nX: y",
  "Tur\u212aey Standard Time",
]) {
  test(`TL-05: ${JSON.stringify(name)} is no zone`, () => assert.equal(isTimeZone(name), false));
}

const INSTANT = fc
  .integer({ min: Date.UTC(1990, 0) / 1000, max: Date.UTC(2037, 0) / 1000 })
  .map((seconds) => seconds * 1000);
const ZONE = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));

test("TL-05: the wall time of an instant, read back, is that instant or its twin an hour before (property)", () => {
  fc.assert(
    fc.property(INSTANT, ZONE, (ms, zone) => {
      const wall = wallTime(ms, zone);
      const back = instantOf(Date.parse(`${wall}Z`), zone);
      assert.equal(back.isSkipped, false);
      assert.equal(wallTime(back.ms, zone), wall);
      assert.ok(back.ms <= ms && ms - back.ms <= 24 * 3_600_000);
    }),
    { numRuns: 300 },
  );
});

test("TL-05: no text makes reading a time throw (property)", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (text, zone) => void readTimes([text], zone, "exact")));
});
