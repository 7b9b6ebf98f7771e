/** Orders as people send them: quoted commas, quotes and line ends, and some records that are broken. */
const COUNTRIES = ["DE", "FR", "IN", "IT", "US"];
const NOTES = ["", "gift", '"Leave at the door,\nring twice"', '"say ""hi"", please"', '"a, b"'];

export type Orders = {
  content: Buffer;
  /** Records, the broken ones among them. */
  rows: number;
  rejected: number;
  /** What `SQL` gives, worked out here. */
  result: string;
};

export const SQL =
  "SELECT country, count(*) AS orders, sum(quantity) AS units\nFROM input\nGROUP BY country\nORDER BY country";

/** The same file every time. Broken records come late, where no sample of the beginning sees them. */
export function makeOrders(rows: number): Orders {
  const lines = ["order_id,country,zip,quantity,note\n"];
  const groups = new Map<string, { orders: number; units: number }>();
  const broken = new Map([
    [rows - 10, `${rows - 10},DE,01067,many,gift\n`],
    [rows - 7, `${rows - 7},FR\n`],
    [rows - 3, `${rows - 3},IN,00042,2,gift,one too many\n`],
  ]);
  for (let id = 1; id <= rows; id += 1) {
    const bad = broken.get(id);
    if (bad !== undefined) {
      lines.push(bad);
      continue;
    }
    const country = COUNTRIES[(id * 7) % COUNTRIES.length] ?? "";
    const quantity = 1 + (id % 9);
    lines.push(`${id},${country},${String(id % 100_000).padStart(5, "0")},${quantity},${NOTES[id % NOTES.length] ?? ""}\n`);
    const group = groups.get(country) ?? { orders: 0, units: 0 };
    groups.set(country, { orders: group.orders + 1, units: group.units + quantity });
  }
  const body = [...groups].sort(([one], [other]) => one.localeCompare(other)).map(([country, { orders, units }]) => `${country},${orders},${units}\n`);
  return { content: Buffer.from(lines.join("")), rows, rejected: broken.size, result: `country,orders,units\n${body.join("")}` };
}
