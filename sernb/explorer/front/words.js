// Numbers, names and tables in words.

// Control characters become their pictures (␀ …), so that they can be seen and do nothing.
export function plain(text) {
  const picture = (character) => String.fromCharCode(0x2400 + character.charCodeAt(0));
  return String(text).replace(/[\u0000-\u0008\u000b-\u001f]/g, picture);
}

export function short(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

// A value of a column or an axis, where "" is a missing one.
export function named(value) {
  return value === "" ? "(none)" : value;
}

export function percent(share, digits = 0) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : "–";
}

export function number(value, digits = 2) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const rounded = Number(value.toFixed(digits)) || 0; // never −0
  return rounded.toFixed(digits).replace("-", "−");
}

export function signed(value, digits) {
  return `${value > 0 ? "+" : ""}${number(value, digits)}`;
}

export function many(count) {
  return count.toLocaleString("en");
}

export function csv(rows) {
  const field = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  return `${rows.map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;
}
