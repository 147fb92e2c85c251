// Comfort only: every page works without it.
document.querySelector("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
for (const time of document.querySelectorAll("time[data-ms]")) {
  const at = new Date(Number(time.dataset.ms));
  time.title = time.textContent;
  time.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" });
}

// The live log (src/admin/logs.rs): lines the Directory sends are put on top, as text, made as the server makes them.
const log = document.querySelector("ol[data-live]");
if (log && "WebSocket" in window) watch(log);

function watch(list) {
  const MOST = 500;
  const PING_MS = 30_000;
  const LONGEST_PAUSE_MS = 60_000;
  const RANK = { info: 0, warning: 1, error: 2 };
  const state = document.querySelector("[data-live-state]");
  const [word, button] = state.children;
  let after = Number(list.dataset.after);
  let socket = null;
  let timer = 0;
  let pause = 1_000;
  let paused = false;

  const say = (name) => (word.textContent = word.dataset[name]);
  const wanted = () => !paused && !document.hidden;
  const fits = (line) =>
    (RANK[line.level] ?? 2) >= (RANK[list.dataset.level] ?? 0) &&
    (!list.dataset.what || line.what === list.dataset.what) &&
    (!list.dataset.session || line.session === list.dataset.session || line.session.startsWith(`${list.dataset.session}:`)) &&
    line.text.toLowerCase().includes(list.dataset.q.toLowerCase());

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function show(line) {
    if (!Number.isSafeInteger(line.id) || line.id <= after) return;
    after = line.id;
    if (!fits(line)) return;
    const level = line.level in RANK ? line.level : "error";
    const tone = { info: "badge", warning: "badge warning", error: "badge bad" }[level];
    const at = new Date(line.at);
    const time = element("time", at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "medium" }));
    time.dateTime = at.toISOString();
    const names = { info: list.dataset.wordInfo, warning: list.dataset.wordWarning, error: list.dataset.wordError };
    const meta = element("span", undefined, "meta");
    meta.append(time, " ", element("span", names[level], tone), " ", element("code", line.what));
    if (line.session) {
      const link = element("a", line.session);
      link.href = `/_admin/conversations/${encodeURIComponent(line.session)}`;
      meta.append(" ", link);
    }
    const row = element("li");
    const text = element("p", line.text);
    text.dir = "auto";
    row.append(meta, text);
    list.prepend(row);
    while (list.children.length > MOST) list.lastElementChild.remove();
  }

  function open() {
    clearTimeout(timer);
    if (!wanted() || socket) return;
    say("off");
    const address = new URL(`${list.dataset.live}?after=${after}`, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = (socket = new WebSocket(address));
    let heard = Date.now();
    const pings = setInterval(() => {
      if (Date.now() - heard > 2.5 * PING_MS) mine.close();
      else if (mine.readyState === WebSocket.OPEN) mine.send("ping");
    }, PING_MS);
    mine.onopen = () => {
      pause = 1_000;
      say("on");
    };
    mine.onmessage = ({ data }) => {
      heard = Date.now();
      if (data === "pong") return;
      try {
        show(JSON.parse(data));
      } catch {
        // Not a line of this release.
      }
    };
    mine.onclose = () => {
      clearInterval(pings);
      if (socket === mine) socket = null;
      if (!wanted()) return say("paused");
      say("off");
      timer = setTimeout(open, pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    };
  }

  function settle() {
    button.textContent = paused ? button.dataset.resume : button.dataset.pause;
    if (wanted()) {
      pause = 1_000;
      open();
    } else {
      clearTimeout(timer);
      socket?.close(1000);
      say("paused");
    }
  }

  button.addEventListener("click", () => {
    paused = !paused;
    settle();
  });
  document.addEventListener("visibilitychange", settle);
  state.hidden = false;
  settle();
}
