// What the stand-in answers when no script says otherwise: a friendly bot that writes Markdown, for people trying things
// out, and a call of current_time where that tool is offered. Deliberately not here: the wire.

const TABLE_EN = `Here is a short comparison:

| Drink | Caffeine | Steep | Best in |
|:------|---------:|:-----:|---------|
| Green tea | 30 mg | 2 min | the morning |
| Black tea | 50 mg | 4 min | the afternoon |
| Espresso | 65 mg | 25 s | an emergency |

Green tea is the gentle one; **espresso** has the most per sip.`;

const TABLE_RU = `Вот короткое сравнение:

| Напиток | Кофеин | Время | Когда |
|:--------|-------:|:-----:|-------|
| Зелёный чай | 30 мг | 2 мин | утром |
| Чёрный чай | 50 мг | 4 мин | днём |
| Эспрессо | 65 мг | 25 с | когда срочно |

Зелёный чай мягче всех, в **эспрессо** больше всего кофеина на глоток.`;

const CODE = `\`\`\`rust
use std::collections::HashMap;

/// Counts how often each word occurs.
fn count(text: &str) -> HashMap<&str, usize> {
    let mut seen = HashMap::new();
    for word in text.split_whitespace() {
        *seen.entry(word).or_insert(0) += 1;
    }
    seen
}
\`\`\``;

const LIST_EN = `## Three things to pack

1. **Water**, at least a litre
2. A light jacket
   - waterproof if you can
   - something bright
3. Snacks: nuts, *dried fruit*, chocolate

- [x] Map saved offline
- [ ] Phone charged`;

const LIST_RU = `## Что взять с собой

1. **Вода**, не меньше литра
2. Лёгкая куртка
   - лучше непромокаемая
   - яркая
3. Перекус: орехи, *сухофрукты*, шоколад

- [x] Карта сохранена
- [ ] Телефон заряжен`;

const longOf = (paragraph, heading, count) => Array.from({ length: count }, (_, i) => `## ${heading} ${i + 1}\n\n${paragraph}`).join('\n\n');

const LONG_EN = longOf(
  'The tide comes in slowly, then all at once: first the flat sand darkens, then the channels fill, and in the end the rocks you walked to are islands. People who live by the sea read it like a clock. They know which paths close first, and they leave **ten minutes early**, because water that is ankle deep at the edge can be waist deep in the middle. _Nothing about it is in a hurry_, and nothing about it waits.',
  'Part',
  14,
);
const LONG_RU = longOf(
  'Прилив приходит медленно, а потом сразу: сначала темнеет ровный песок, затем наполняются протоки, и наконец камни, до которых вы дошли, становятся островами. Люди у моря читают его как часы. Они знают, какие тропы закроются первыми, и уходят **на десять минут раньше**: там, где у края по щиколотку, посередине бывает по пояс. _Он никуда не спешит_ и никого не ждёт.',
  'Часть',
  14,
);

const QUOTE_EN = `As the saying goes:

> The sea does not reward those who are too anxious, too greedy, or too impatient.
> Patience, patience, patience, is what the sea teaches.

Read more at [the library](https://example.org/gift-from-the-sea).`;
const QUOTE_RU = `Как говорится:

> Море не вознаграждает слишком тревожных, слишком жадных и слишком нетерпеливых.
> Терпение, терпение и терпение: вот чему учит море.

Подробнее [в библиотеке](https://example.org/gift-from-the-sea).`;

const TOPICS = [
  [/\btable\b|таблиц/i, TABLE_EN, TABLE_RU],
  [/\bcode\b|код(?![а-яё])|программ/i, `Sure. This counts words:\n\n${CODE}\n\nCall it as \`count("a b a")\`; it borrows from the text, so nothing is copied.`, `Конечно. Эта функция считает слова:\n\n${CODE}\n\nВызов: \`count("a b a")\`. Строки не копируются.`],
  [/\blong\b|длинн/i, LONG_EN, LONG_RU],
  [/\blist\b|спис(?:ок|ка)/i, LIST_EN, LIST_RU],
  [/\bquote\b|цитат/i, QUOTE_EN, QUOTE_RU],
  [/\bslow\b|медленн/i, 'Slowly, then: '.concat('one more word at a time, '.repeat(24), 'and that is all.'), 'Хорошо, медленно: '.concat('ещё одно слово за другим, '.repeat(20), 'и на этом всё.')],
];

const isSlow = (text) => /\bslow\b|медленн/i.test(text);
const isRussian = (text) => /[а-яё]/i.test(text);
const ASKS_TIME = /\btime\b|(?<![а-яё])час(?![а-яё])|врем/i;

function answerTo(lastUser, messageCount, media) {
  const russian = isRussian(lastUser);
  for (const [pattern, en, ru] of TOPICS) if (pattern.test(lastUser)) return russian ? ru : en;
  const said = lastUser.trim().replace(/\s+/g, ' ');
  const short = said.length > 160 ? `${said.slice(0, 160).replace(/[\ud800-\udbff]$/, '')}…` : said;
  if (russian) {
    return `${media ? `Получено: ${media}. ` : ''}Вы написали: «${short}». Я учебная модель, в контексте **${messageCount}** сообщ. Попробуйте слова *таблица*, *код*, *список*, *цитата*, *длинно* или *медленно*.`;
  }
  return `${media ? `I got ${media}. ` : ''}You said: “${short}”. I am a practice model with **${messageCount}** messages of context. Try the words *table*, *code*, *list*, *quote*, *long* or *slow*.`;
}

const thoughtOn = (lastUser) => (isRussian(lastUser) ? 'Пользователь спрашивает, отвечу коротко и по делу.' : 'The user asks something. Let me answer briefly and to the point.');

/** Arguments that a tool's schema demands, made up. */
function argumentsFor({ parameters = {} }) {
  const filler = { number: 0, integer: 0, boolean: false, array: [], object: {} };
  return Object.fromEntries((parameters.required ?? []).map((name) => {
    const { type, enum: values } = parameters.properties?.[name] ?? {};
    return [name, values?.[0] ?? filler[type] ?? 'UTC'];
  }));
}

/**
 * The plan for playback.mjs: what the behaviour says, and for what it leaves open the friendly bot.
 * A tool named current_time is called once when the user asks for the time, and its result is the answer.
 * @param {{defaults: object, behaviour: object|null, lastUser: string, count: number, thinks: boolean, media: string,
 *   tools: {name: string, parameters?: object}[], toolResult?: string}} asked
 */
export function canned({ defaults, behaviour, lastUser, count, thinks, tools, toolResult, media }) {
  const slow = isSlow(lastUser) && !behaviour?.answer;
  const plan = { ...defaults, ...(slow && { tokensPerSecond: 8 }), ...behaviour };
  if (plan.thinking === undefined && thinks && behaviour?.answer === undefined) plan.thinking = thoughtOn(lastUser);
  if (plan.answer !== undefined) return plan;
  const clock = ASKS_TIME.test(lastUser) && tools.find(({ name }) => name === 'current_time');
  // A scripted call goes out however often it is scripted: that is how a model calls for ever.
  if (plan.toolCalls) plan.answer = '';
  else if (toolResult !== undefined) plan.answer = isRussian(lastUser) ? `Инструмент ответил: ${toolResult}` : `The tool says: ${toolResult}`;
  else if (clock) Object.assign(plan, { answer: '', toolCalls: [{ name: clock.name, arguments: argumentsFor(clock) }] });
  else plan.answer = answerTo(lastUser, count, media);
  return plan;
}
