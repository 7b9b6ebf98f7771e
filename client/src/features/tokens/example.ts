/** A first request with a token, ready to be pasted. Pure. */

const QUERY = "query($first: Int!) { jobs(first: $first) { totalCount edges { node { name state } } } }";
const VARIABLES = { first: 5 };

/** For a POSIX shell: inside single quotes nothing but a single quote has a meaning. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function curlExample(origin: string, secret: string): string {
  const body = JSON.stringify({ query: QUERY, variables: VARIABLES });
  return [
    `curl -sS ${quoted(`${origin}/graphql`)} \\`,
    `  -H ${quoted(`Authorization: Bearer ${secret}`)} \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d ${quoted(body)}`,
  ].join("\n");
}

/** Only the standard library, so that it runs wherever Python does. */
export function pythonExample(origin: string, secret: string): string {
  return `import json
import urllib.request

URL = ${JSON.stringify(`${origin}/graphql`)}
TOKEN = ${JSON.stringify(secret)}
QUERY = ${JSON.stringify(QUERY)}

request = urllib.request.Request(
    URL,
    data=json.dumps({"query": QUERY, "variables": ${JSON.stringify(VARIABLES)}}).encode(),
    headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
)
with urllib.request.urlopen(request) as answer:
    jobs = json.load(answer)["data"]["jobs"]

print(jobs["totalCount"], "jobs")
for edge in jobs["edges"]:
    print(edge["node"]["state"], edge["node"]["name"])
`;
}

const DAY_MS = 86_400_000;

/** When a token of so many days ends; none says never. */
export function endOf(days: string, nowMs: number): string | null {
  return days === "" ? null : new Date(nowMs + Number(days) * DAY_MS).toISOString();
}
