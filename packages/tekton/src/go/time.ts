/** An instant as Go's time.Time keeps it: to the nanosecond. */
export interface GoTime {
  /** Since 1970-01-01T00:00:00Z. */
  readonly seconds: number;
  /** 0..999999999 */
  readonly nanos: number;
}

// Go's parser of RFC 3339, not the RFC: the hour may have one digit, the fraction may follow a comma, an offset may reach 24:60.
const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** undefined when Go would refuse it: lower-case letters, leap seconds, days that do not exist. */
export function parseTime(text: string): GoTime | undefined {
  return ordinaryTime(text) ?? anyTime(text);
}

function anyTime(text: string): GoTime | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [
    ,
    year = "",
    month = "",
    day = "",
    hour = "",
    minute = "",
    second = "",
    fraction = "",
    sign,
    offsetHour = "0",
    offsetMinute = "0",
  ] = match;
  if (+month < 1 || +month > 12 || +day < 1 || +day > daysIn(+year, +month)) return undefined;
  if (+hour > 23 || +minute > 59 || +second > 59 || +offsetHour > 24 || +offsetMinute > 60) return undefined;
  const offset = (+offsetHour * 60 + +offsetMinute) * (sign === "-" ? -60 : 60);
  const seconds = daysSinceEpoch(+year, +month, +day) * 86_400 + +hour * 3600 + +minute * 60 + +second - offset;
  return { seconds, nanos: +fraction.slice(0, 9).padEnd(9, "0") };
}

/** "2026-01-31T12:00:00Z", as Kubernetes writes all times, without a pattern. */
function ordinaryTime(text: string): GoTime | undefined {
  if (
    text.length !== 20 ||
    text[4] !== "-" ||
    text[7] !== "-" ||
    text[10] !== "T" ||
    text[13] !== ":" ||
    text[16] !== ":" ||
    text[19] !== "Z"
  )
    return undefined;
  const [century, year, month, day] = [twoDigits(text, 0), twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8)];
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)];
  // comparisons with NaN are false: whatever is not quite right is left to the pattern
  if (!(century >= 0 && year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour <= 23 && minute <= 59 && second <= 59))
    return undefined;
  return { seconds: daysSinceEpoch(century * 100 + year, month, day) * 86_400 + hour * 3600 + minute * 60 + second, nanos: 0 };
}

function twoDigits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 48, text.charCodeAt(at + 1) - 48];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

const zeroSeconds = -62_135_596_800;
/** 0001-01-01T00:00:00Z, Go's zero time: the Kubernetes types write it as null. */
export const isZeroTime = (time: GoTime): boolean => time.seconds === zeroSeconds && time.nanos === 0;

/** metav1.Time: UTC, whole seconds. */
export const secondsText = (time: GoTime): string => `${dateTime(time.seconds)}Z`;

/** time.Time: UTC, the fraction without trailing zeros. */
export function shortestText(time: GoTime): string {
  const fraction = time.nanos === 0 ? "" : `.${nineDigits(time).replace(/0+$/, "")}`;
  return `${dateTime(time.seconds)}${fraction}Z`;
}

/** google.protobuf.Timestamp: UTC with 0, 3, 6 or 9 digits of fraction. */
export function protoText(time: GoTime): string {
  const digits = nineDigits(time);
  const length = time.nanos === 0 ? 0 : digits.endsWith("000000") ? 3 : digits.endsWith("000") ? 6 : 9;
  return `${dateTime(time.seconds)}${length === 0 ? "" : `.${digits.slice(0, length)}`}Z`;
}

/** To the millisecond. */
export const dateFromTime = (time: GoTime): Date => new Date(time.seconds * 1000 + Math.floor(time.nanos / 1e6));

const nineDigits = (time: GoTime): string => String(time.nanos).padStart(9, "0");
const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`);

function dateTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  // an offset can carry a time out of the years 0000..9999; Go prints such years as they are
  const years = year < 0 ? `-${String(-year).padStart(4, "0")}` : String(year).padStart(4, "0");
  return `${years}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}T${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Proleptic Gregorian days; Date.UTC would read the years 0..99 as 1900..1999. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}
