// One rater at one task: what comes next, what was said, and answers that are kept here until the service has them.

import { ask } from "./api.js";

const AHEAD = 4;
const MOST_AHEAD = 20;
const PAUSES_MS = [1000, 2000, 4000, 8000, 15000];
const KEPT = "visual-search-judge";

const told = async (path, options) => (await ask(path, options)).json();
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export const tasks = () => told("/v1/judge/tasks");

// Answers that the service has not confirmed, each under a name of its own: two tabs lose none of each other's.
class Outbox {
  constructor(taskId, rater) {
    this.prefix = `${KEPT}:${taskId}:${encodeURIComponent(rater)}:`;
    this.answers = new Map();
    this.isSafe = true;
    try {
      for (const name of Object.keys(localStorage).filter((one) => one.startsWith(this.prefix))) {
        const answer = JSON.parse(localStorage.getItem(name));
        this.answers.set(answer.question_id, answer);
      }
    } catch {
      this.isSafe = false;
    }
  }

  get first() {
    return [...this.answers.values()].sort((one, other) => one.at - other.at)[0];
  }

  put(answer) {
    this.answers.set(answer.question_id, answer);
    this.store(() => localStorage.setItem(this.prefix + answer.question_id, JSON.stringify(answer)));
  }

  // What was said anew meanwhile stays.
  drop(answer) {
    if (this.answers.get(answer.question_id) !== answer) return;
    this.answers.delete(answer.question_id);
    this.store(() => localStorage.removeItem(this.prefix + answer.question_id));
  }

  store(change) {
    try {
      change();
    } catch {
      this.isSafe = false;
    }
  }
}

export class Judging {
  constructor(taskId, rater, { onChange, onKey }) {
    Object.assign(this, { taskId, rater, onChange, onKey });
    this.outbox = new Outbox(taskId, rater);
    this.questions = [];
    this.said = []; // { question, grade }, oldest first
    this.passed = new Set();
    this.given = ""; // what was said of the question that is shown, where it was undone
    this.progress = null;
    this.last = null;
    this.failing = ""; // why nothing comes, and whether no service answers at all
    this.isAway = false;
    this.refused = "";
    this.isStale = true;
    this.isWorking = false;
    this.isStopped = false;
  }

  get current() {
    return this.questions[0];
  }

  get unsent() {
    return this.outbox.answers.size;
  }

  get canUndo() {
    const before = this.said[this.said.length - 1] || this.last;
    return Boolean(before) && before.question.question_id !== this.current?.question_id;
  }

  get isDone() {
    return !this.current && !this.isStale && !this.unsent;
  }

  get counts() {
    const fresh = [...this.outbox.answers.values()].filter((answer) => !answer.again).length;
    const { answered, left } = this.progress;
    return { answered: answered + fresh, left: Math.max(0, left - fresh) };
  }

  // Another rater sits down: what is unsent is still sent, and nothing is shown any more.
  stop() {
    this.isStopped = true;
    this.onChange = () => {};
    this.onKey = () => {};
  }

  say(grade, milliseconds) {
    const question = this.questions.shift();
    const again = Boolean(this.given);
    this.outbox.put({ question_id: question.question_id, grade, milliseconds, again, at: Date.now() });
    this.said.push({ question, grade });
    this.given = "";
    this.refused = "";
    this.work();
    this.onChange();
  }

  undo() {
    if (!this.canUndo) return;
    const { question, grade } = this.said.pop() || this.last;
    this.questions = [question, ...this.questions.filter((one) => one.question_id !== question.question_id)];
    this.given = grade;
    this.onChange();
  }

  pass() {
    this.passed.add(this.questions.shift().question_id);
    this.given = "";
    this.isStale = true;
    this.work();
    this.onChange();
  }

  // Send what was said, in order, and learn what comes next, until both are done; a service that is away is asked again.
  async work() {
    if (this.isWorking) return;
    this.isWorking = true;
    let tries = 0;
    while (this.unsent || (this.isStale && !this.isStopped)) {
      const answer = this.outbox.first;
      try {
        this.take(await (answer ? this.send(answer) : told(`${this.path}/next?${this.query({ rater: this.rater })}`)), answer);
        tries = 0;
      } catch (error) {
        this.isAway = error.status === 0;
        if (error.status === 401) {
          this.failing = error.message;
          this.onChange();
          this.onKey();
          break;
        }
        if (answer && ["unknown_question", "bad_parameter"].includes(error.code)) {
          this.outbox.drop(answer);
          this.isStale = true;
          this.refused = `An answer was not taken: ${error.message}`;
          continue;
        }
        this.failing = error.message;
        this.onChange();
        if (["unknown_task", "bad_rater"].includes(error.code)) break;
        await pause(PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]);
        tries += 1;
      }
    }
    this.isWorking = false;
  }

  get path() {
    return `/v1/judge/tasks/${encodeURIComponent(this.taskId)}`;
  }

  query(more = {}) {
    return new URLSearchParams({ ...more, count: Math.min(MOST_AHEAD, AHEAD + this.passed.size) });
  }

  send(answer) {
    const { question_id, grade, milliseconds } = answer;
    const body = JSON.stringify({ rater: this.rater, question_id, grade, milliseconds });
    const headers = { "Content-Type": "application/json" };
    return told(`${this.path}/answers?${this.query()}`, { method: "POST", body, headers });
  }

  // The question that is shown stays, whatever others have answered meanwhile.
  take(turn, answer) {
    if (answer) this.outbox.drop(answer);
    this.progress = turn.progress;
    this.last = turn.last;
    this.failing = "";
    this.isStale = false;
    const shown = this.current;
    const ahead = turn.questions.filter(({ question_id: name }) => (
      !this.outbox.answers.has(name) && !this.passed.has(name) && name !== shown?.question_id
    ));
    this.questions = shown ? [shown, ...ahead] : ahead;
    this.onChange();
  }
}
