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

/** The digests are there to keep a machine busy for seconds, so that there is progress to be watched. */
export const SQL = `SELECT country, count(*) AS orders, sum(quantity) AS units,
       max(CAST(length(md5(repeat(zip, 500))) AS BIGINT)) AS digest
FROM input
GROUP BY country
ORDER BY country`;

/** The same file every time. Broken records stand where a sample of the file is not likely to see them. */
export function makeOrders(rows: number): Orders {
  const lines = ["order_id,country,zip,quantity,note\n"];
  const groups = new Map<string, { orders: number; units: number }>();
  const [bad, short, long] = [0.37, 0.61, 0.83].map((share) => Math.floor(rows * share));
  const broken = new Map([
    [bad, `${bad},DE,01067,many,gift\n`],
    [short, `${short},FR\n`],
    [long, `${long},IN,00042,2,gift,one too many\n`],
  ]);
  for (let id = 1; id <= rows; id += 1) {
    const record = broken.get(id);
    if (record !== undefined) {
      lines.push(record);
      continue;
    }
    const country = COUNTRIES[(id * 7) % COUNTRIES.length] ?? "";
    const quantity = 1 + (id % 9);
    lines.push(`${id},${country},${String(id % 100_000).padStart(5, "0")},${quantity},${NOTES[id % NOTES.length] ?? ""}\n`);
    const group = groups.get(country) ?? { orders: 0, units: 0 };
    groups.set(country, { orders: group.orders + 1, units: group.units + quantity });
  }
  const body = [...groups].sort(([one], [other]) => one.localeCompare(other)).map(([country, { orders, units }]) => `${country},${orders},${units},32\n`);
  return { content: Buffer.from(lines.join("")), rows, rejected: broken.size, result: `country,orders,units,digest\n${body.join("")}` };
}
