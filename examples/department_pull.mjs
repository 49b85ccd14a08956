// A department's program that needs no Redis: it reads its messages by position over HTTPS, works, and posts its answers.
// Node 18 or newer, no packages; one process at a time for a state file:
//   TOWN_URL=https://town.example EXCHANGE_KEY=... EXCHANGE_SECRET=... STATE_FILE=department.json node department_pull.mjs
//
// Five rules make it safe to kill at any moment: messages of one case have numbers without gap, so a known number is skipped;
// what was taken in and what is to be answered goes to disk together, before anything is confirmed; an answer keeps its id and
// number however often it is sent; it is sent until the town says what became of it; fields that are not known here are left alone.

import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

const { TOWN_URL, EXCHANGE_KEY, EXCHANGE_SECRET, STATE_FILE = "department_pull.json" } = process.env;
if (!TOWN_URL || !EXCHANGE_KEY || !EXCHANGE_SECRET) {
  console.error("Set TOWN_URL, EXCHANGE_KEY and EXCHANGE_SECRET (mobile-api department keys shows how to get them).");
  process.exit(2);
}
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// `next`: the position to read from. `confirmed`: the last position the town knows of. Per case: `received` and `said` count
// messages in and out. `answers` are finished and not yet settled, oldest first.
const state = existsSync(STATE_FILE)
  ? JSON.parse(readFileSync(STATE_FILE, "utf8"))
  : { next: 0, confirmed: 0, received: {}, said: {}, answers: [] };

function save() {
  const file = openSync(`${STATE_FILE}.new`, "w", 0o600); // it holds people's names until the answers are out
  writeSync(file, JSON.stringify(state));
  fsyncSync(file);
  closeSync(file);
  renameSync(`${STATE_FILE}.new`, STATE_FILE);
}

async function call(method, path, content) {
  const body = content === undefined ? "" : JSON.stringify(content);
  const date = new Date().toISOString();
  const nonce = randomBytes(16).toString("hex");
  const signed = [method, path, date, nonce, sha256(body)].join("\n");
  const signature = createHmac("sha256", Buffer.from(EXCHANGE_SECRET, "hex")).update(signed).digest("hex");
  const proof = { "X-Exchange-Key": EXCHANGE_KEY, "X-Exchange-Date": date, "X-Exchange-Nonce": nonce, "X-Exchange-Signature": signature };
  const headers = { ...proof, ...(body && { "Content-Type": "application/json" }) };
  const answer = await fetch(TOWN_URL + path, { method, headers, body: body || undefined, signal: AbortSignal.timeout(45_000) });
  if (!answer.ok) throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`), { status: answer.status });
  return answer;
}
const ask = async (...request) => (await call(...request)).json();

// One message in and its answers planned, on disk together; nothing is confirmed or sent yet.
async function takeIn(me, { position, envelope }) {
  const { partitionkey: id, sequence } = envelope;
  const expected = (state.received[id] ?? 0) + 1;
  if (sequence > expected) throw new Error(`${envelope.subject}: number ${expected} is missing; ask the town to replay from before position ${position}`);
  if (sequence === expected) {
    for (const material of envelope.data.materials ?? []) for (const file of material.files ?? []) await fetchFile(file);
    for (const [kind, more] of work(envelope)) state.answers.push(answerTo(me, envelope, kind, more));
    state.received[id] = sequence;
    console.log(`${envelope.subject}: ${envelope.type} number ${sequence} taken in`);
  }
  state.next = position;
  save();
}

async function fetchFile(file) {
  const answer = await call("GET", `/exchange/v1/files/${file.grant}`).catch((error) => (error.status === 404 ? null : Promise.reject(error)));
  if (!answer) return console.error(`file ${file.upload} can no longer be had: its task is long over`); // nobody waits for it
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (bytes.length !== file.size || sha256(bytes) !== file.sha256) throw new Error(`file ${file.upload} is not what the message promised`);
  return bytes; // a real department files it with the case here
}

// The department's own judgement: put your system in here. Each entry is a message type and what to say.
function work({ type, data }) {
  if (!/\.task\.(requested|material-added)\./.test(type)) return []; // withdrawn, urged: nothing to answer
  if (data.step === "accept") return [["task.accepted", {}]];
  if (data.step === "review") return [["task.progressed", { text: "已收到，正在办理。" }], ["task.decided", { result: "agreed", opinion: "经核查，同意。" }]];
  const against = (data.opinions ?? []).some(({ result }) => result === "disagreed");
  return [["task.decided", against ? { result: "refused", opinion: "有部门不同意。" } : { result: "granted", opinion: "符合规定，准予办理。" }]];
}

function answerTo(me, command, kind, more) {
  const id = command.partitionkey;
  state.said[id] = (state.said[id] ?? 0) + 1;
  return {
    specversion: "1.0", id: randomUUID(), source: `/departments/${me.department}`, type: `cn.gov.town.${kind}.v1`,
    subject: command.subject, time: new Date().toISOString(), datacontenttype: "application/json", partitionkey: id,
    sequence: state.said[id], correlationid: command.data.task, causationid: command.id, traceparent: command.traceparent,
    data: { case: command.data.case, task: command.data.task, ...more },
  };
}

async function sendAnswers() {
  const messages = state.answers.slice(0, 50);
  if (!messages.length) return;
  const { results, confirmations } = await ask("POST", "/exchange/v1/messages", { messages });
  for (const { case_id: id, sequence } of confirmations) state.said[id] = Math.max(state.said[id] ?? 0, sequence); // after a restore
  results.filter(({ status }) => status === "set_aside").forEach(({ id, reason }) => console.error(`answer ${id} was set aside: ${reason}`));
  const open = messages.filter((_, n) => results[n].status === "early"); // to be sent again, in order
  state.answers = [...open, ...state.answers.slice(messages.length)];
  save();
  if (open.length === messages.length) throw new Error(`answers have to wait: ${results[0].reason}`);
}

async function round(me) {
  while (state.answers.length) await sendAnswers();
  if (state.confirmed < state.next) state.confirmed = (await ask("POST", "/exchange/v1/acknowledgements", { position: state.next })).position;
  const { messages } = await ask("GET", `/exchange/v1/messages?after=${state.next}&limit=20&wait=25`);
  for (const message of messages) await takeIn(me, message);
}

let me;
for (let failures = 0; ; ) {
  try {
    me ??= await ask("GET", "/exchange/v1/state");
    await round(me);
    failures = 0;
  } catch (error) {
    console.error(error.message, error.cause?.message ?? "");
    await new Promise((resume) => setTimeout(resume, Math.random() * Math.min(30_000, 500 * 2 ** failures++))); // full jitter
  }
}
