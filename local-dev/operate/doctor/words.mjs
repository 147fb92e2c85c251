// What `npm run doctor` itself finds, as [reason, action] in both languages; what the Worker finds comes with its own words.

const WORDS = {
  healthy: [["It answers, release {version}."], ["Отвечает, выпуск {version}."]],
  unhealthy: [["/healthz answers {status}, and not as this Worker does.", "Check the address; if Access redirects, protect only _admin, api and debug."], ["/healthz отвечает {status}, и не как этот Worker.", "Проверьте адрес; если перенаправляет Access, защитите только _admin, api и debug."]],
  unreachable: [["It cannot be reached: {reason}.", "Check the address; a new one takes minutes until it is known everywhere."], ["Недоступен: {reason}.", "Проверьте адрес; новый становится известен не сразу."]],
  badCertificate: [["Its certificate is not accepted: {reason}.", "Wait if the domain is new; else look at SSL/TLS in the Cloudflare dashboard."], ["Сертификат не принят: {reason}.", "Подождите, если домен новый; иначе смотрите SSL/TLS в панели Cloudflare."]],
  encrypted: [["The connection is encrypted and the certificate good."], ["Соединение зашифровано, сертификат в порядке."]],
  localConnection: [["A connection within this machine."], ["Соединение внутри этой машины."]],
  unencrypted: [["The address is http://: everything can be read on the way.", "Use https://."], ["Адрес — http://: всё можно прочитать по пути.", "Используйте https://."]],
  sameVersion: [["It is the release of this checkout."], ["Это выпуск из этой копии."]],
  otherVersion: [["It runs release {theirs}, this checkout is {ours}.", "Run npm run deploy, or check out the release that is deployed."], ["Работает выпуск {theirs}, а здесь — {ours}.", "Выполните npm run deploy или возьмите развёрнутый выпуск."]],
  covered: [["Access stands before it."], ["Перед ним стоит Access."]],
  uncovered: [["Access does not stand before it: the Worker refuses by itself ({status}), but nobody can sign in.", "Add the path to the Access application's destinations."], ["Access перед ним не стоит: Worker отказывает сам ({status}), но и войти нельзя.", "Добавьте путь в приложение Access."]],
  open: [["It answers {status} to somebody without a token.", "Find out what stands at this address; our own routes refuse."], ["Отвечает {status} без токена.", "Выясните, что по этому адресу; наши маршруты не пускают."]],
  trick: [["{path} answers {status}: a spelling that gets past Access.", "Report it: the Worker must refuse it."], ["{path} отвечает {status}: написание, обходящее Access.", "Сообщите: Worker должен отказать."]],
  noTricks: [["Odd spellings of the guarded paths reach nothing."], ["Необычные написания закрытых путей никуда не ведут."]],
  webhookShut: [["The webhook is reachable and asks for its secret."], ["Вебхук доступен и требует секрет."]],
  webhookBlocked: [["Something before the Worker answers {status}: Telegram cannot pass.", "In Zero Trust protect only _admin, api and debug, or add a Bypass application for the path telegram."], ["Перед Worker что-то отвечает {status}: Telegram не пройдёт.", "В Zero Trust защитите только _admin, api и debug или добавьте приложение Bypass для пути telegram."]],
  webhookOdd: [["It answers {status} to somebody without the secret; 401 is right.", "Run npm run setup."], ["Отвечает {status} без секрета; должно быть 401.", "Выполните npm run setup."]],
  relayShut: [["The way in for relays is reachable and asks for its token."], ["Вход для реле доступен и требует токен."]],
  relayUnset: [["No relay is let in: RELAY_TOKEN is unset."], ["Реле не допускаются: RELAY_TOKEN не задан."]],
  relayBlocked: [["Something before the Worker answers {status} on /relay: no relay can connect.", "In Zero Trust protect only _admin, api and debug, or add a Bypass application for the path relay."], ["Перед Worker на /relay что-то отвечает {status}: реле не подключится.", "В Zero Trust защитите только _admin, api и debug или добавьте приложение Bypass для пути relay."]],
  relayTokenSet: [["RELAY_TOKEN is set: relays may connect. How they stand: npm run doctor -- --url <address>."], ["RELAY_TOKEN задан: реле могут подключаться. Как они: npm run doctor -- --url <адрес>."]],
  relayTokenUnset: [["No relay is used."], ["Реле не используются."]],
  noToken: [["Only looked at from outside: no service token is given.", "Make one (docs/operations.md, \"Programs: service tokens\") and set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET."], ["Проверено только снаружи: нет служебного токена.", "Создайте его (docs/operations.md, «Programs: service tokens») и задайте CF_ACCESS_CLIENT_ID и CF_ACCESS_CLIENT_SECRET."]],
  tokenRefused: [["The service token was refused ({status}).", "It needs a \"Service Auth\" policy in the Access application and its client id in CF_ACCESS_SERVICE_TOKENS."], ["Служебный токен не принят ({status}).", "Нужны правило «Service Auth» в приложении Access и его client id в CF_ACCESS_SERVICE_TOKENS."]],
  notConfigured: [["The Worker says that Access is not configured.", "Run npm run setup with the team domain and the AUD tag."], ["Worker сообщает, что Access не настроен.", "Выполните npm run setup с доменом команды и тегом AUD."]],
  odd: [["/api/doctor answers {status}.", "Look at the log: npx wrangler tail."], ["/api/doctor отвечает {status}.", "Смотрите журнал: npx wrangler tail."]],
  loggedIn: [["wrangler is logged in: {name}."], ["wrangler вошёл: {name}."]],
  loggedOut: [["wrangler is not logged in.", "Run npx wrangler login."], ["wrangler не вошёл.", "Выполните npx wrangler login."]],
  wranglerFailed: [["wrangler failed: {reason}", "Run npx wrangler whoami and see."], ["wrangler не справился: {reason}", "Выполните npx wrangler whoami."]],
  notDeployed: [["There is no Worker \"{name}\" in this account yet.", "Run npm run setup."], ["В этом аккаунте ещё нет Worker «{name}».", "Выполните npm run setup."]],
  secretsSet: [["The required secrets are set."], ["Обязательные секреты заданы."]],
  secretsMissing: [["Not set: {names}.", "Run npm run setup."], ["Не задано: {names}.", "Выполните npm run setup."]],
  modelSet: [["A model provider is set up."], ["Поставщик моделей настроен."]],
  modelMissing: [["No key or address of a model provider is set.", "Run npm run setup."], ["Не задан ни ключ, ни адрес поставщика моделей.", "Выполните npm run setup."]],
  ownerSet: [["An owner can be known."], ["Владелец определим."]],
  ownerMissing: [["Neither OWNER_TELEGRAM_IDS nor CLAIM_CODE is set: nobody can be the owner.", "Run npm run setup -- --new-claim-code."], ["Не заданы ни OWNER_TELEGRAM_IDS, ни CLAIM_CODE: владельцем никто не станет.", "Выполните npm run setup -- --new-claim-code."]],
  accessSet: [["Access is configured."], ["Access настроен."]],
  accessMissing: [["Access is not configured: the admin page answers 503.", "Run npm run setup with the team domain and the AUD tag."], ["Access не настроен: страница администратора отвечает 503.", "Выполните npm run setup с доменом команды и тегом AUD."]],
  debugSet: [["DEBUG_TOKEN is set: whoever knows it can make conversations fail on purpose.", "Run npx wrangler secret delete DEBUG_TOKEN."], ["Задан DEBUG_TOKEN: кто его знает, может нарочно ломать беседы.", "Выполните npx wrangler secret delete DEBUG_TOKEN."]],
  debugUnset: [["Faults on purpose are shut."], ["Намеренные сбои закрыты."]],
  tomlFine: [["wrangler.toml has what the Worker needs."], ["В wrangler.toml есть всё нужное."]],
  tomlMissing: [["wrangler.toml lacks {names}.", "Restore it from the release: git diff wrangler.toml shows what changed."], ["В wrangler.toml нет: {names}.", "Верните из выпуска: git diff wrangler.toml покажет изменения."]],
  tomlVars: [["[vars] in wrangler.toml wins over what npm run setup and the dashboard chose: {names}.", "Delete the lines that are not meant to."], ["[vars] в wrangler.toml перекрывает выбор npm run setup и панели: {names}.", "Удалите лишние строки."]],
  bucketBound: [["A bucket is bound."], ["Корзина привязана."]],
  bucketUnbound: [["No bucket is bound: no files, no exports, no backups.", "Restore the [[r2_buckets]] block and run npm run setup."], ["Корзина не привязана: ни файлов, ни выгрузок, ни копий.", "Верните блок [[r2_buckets]] и выполните npm run setup."]],
};

/** `words(lang)("healthy", { version })`: `{ reason, action }`. */
export function words(lang) {
  const index = lang === "ru" ? 1 : 0;
  const fill = (text, values) => text?.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  return (name, values = {}) => {
    const [reason, action] = WORDS[name][index];
    return { reason: fill(reason, values), ...(action && { action: fill(action, values) }) };
  };
}

export const all = WORDS;
