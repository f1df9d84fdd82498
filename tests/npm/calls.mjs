// Runs the calls of @huggingface/hub in session.txt, and prints each with its result.
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import * as hub from "@huggingface/hub";

const login = { hubUrl: process.env.HF_ENDPOINT, accessToken: process.env.HF_TOKEN };
const names = {
  bot: "huggingtweets/bot",
  table: "datasets/huggingtweets/table",
  page: "spaces/huggingtweets/page",
  folder: process.env.HF_HOME,
  file: (path, text) => ({ path, content: new Blob([text]) }),
};
for (const name of Object.keys(hub)) names[name] = (params) => hub[name]({ ...login, ...params });
console.debug = () => {}; // what a snapshot downloads

async function read(result) {
  const value = await result;
  if (value instanceof Blob) return value.text();
  if (!value?.[Symbol.asyncIterator]) return value;
  const items = [];
  for await (const item of value) items.push(item);
  return items;
}

function hideChanging(text) {
  return text
    .replaceAll(login.hubUrl, "ENDPOINT")
    .replaceAll(names.folder, "FOLDER")
    .replace(/\b[0-9a-f]{40}\b/g, "SHA")
    .replace(/\b[0-9a-f]{64}\b/g, "SHA256")
    .replace(/"[\dT:.-]+Z"/g, '"DATE"');
}

const session = readFileSync(new URL("session.txt", import.meta.url), "utf8");
for (const [line, code] of session.matchAll(/^> (.*)$/gm)) {
  console.log(line);
  try {
    const call = new Function(...Object.keys(names), `return ${code}`);
    const result = JSON.stringify(await read(call(...Object.values(names))));
    if (result) console.log(inspect(JSON.parse(hideChanging(result)), { breakLength: 98, depth: 9 }));
  } catch (error) {
    const message = error.message.replace(/\. (URL|Request ID): .*/s, "");
    console.log(hideChanging(`${error.statusCode ?? error.name} ${message}`));
  }
}
