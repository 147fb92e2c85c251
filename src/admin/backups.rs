//! Backups: how old the newest is, what failed, making one now, and putting one back.
//!
//! `GET /api/backups` is all of it, `POST /api/backups` begins a backup; `POST /api/backups/restore` with `what` (`all`,
//! `directory`, `conversation`), `session` and `manifest` begins a restore, `GET /api/backups/restore` says how far it is.
//! The page asks once more before it restores. Not here: what is backed up when (`directory::backups`).

use maud::{Markup, html};

use super::access::Identity;
use super::look::{self, Frame, Tone};
use super::port::{Office, read};
use super::request::{Answer, Method, Request};
use crate::directory::backups::{BackupsView, ManifestView, RestoreAction, RestoreView, RunView, What};
use crate::directory::desk::{DeskAsk, Refused};
use crate::text::Lang;
use crate::text::admin as words;
use crate::text::admin::backups as say;

/// A backup older than this is a warning, milliseconds: one is made each day at least.
const OLD_MS: i64 = 26 * 3_600_000;
/// Restore points offered in the form for one conversation.
const OFFERED: usize = 80;

/// `rest`: the path after `backups`.
pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity, rest: &[&str]) -> Result<Answer, Refused> {
    match (request.method, rest) {
        (Method::Get, []) => {
            let view: BackupsView = read(&office.directory(&DeskAsk::Backups).await?)?;
            let frame = Frame::new(request, who, "backups");
            Ok(look::page(&frame, words::backups(frame.lang), overview(&view, frame.lang, office.now())))
        }
        (Method::Post, []) => {
            office.directory(&DeskAsk::BackUpNow).await?;
            Ok(Answer::See("/_admin/backups?done=1".to_owned()))
        }
        (Method::Get, ["restore"]) => {
            let view: BackupsView = read(&office.directory(&DeskAsk::Backups).await?)?;
            let action = action(|name| request.query(name))?;
            let frame = Frame::new(request, who, "backups");
            Ok(look::page(&frame, say::sure(frame.lang), confirmation(&view, &action, frame.lang)?))
        }
        (Method::Post, ["restore"]) => {
            let action = action(|name| request.text(name))?;
            office.directory(&DeskAsk::RestoreBackup(action)).await?;
            Ok(Answer::See("/_admin/backups?done=1".to_owned()))
        }
        _ => Err(Refused::not_found(words::not_found(request.lang))),
    }
}

/// `rest`: the path after `backups`.
pub async fn api<O: Office>(office: &O, request: &Request, rest: &[&str]) -> Result<Answer, Refused> {
    let ask = match (request.method, rest) {
        (Method::Get, []) => DeskAsk::Backups,
        (Method::Post, []) => DeskAsk::BackUpNow,
        (Method::Get, ["restore"]) => DeskAsk::LastRestore,
        (Method::Post, ["restore"]) => DeskAsk::RestoreBackup(action(|name| request.text(name))?),
        _ => return Err(Refused::not_found("No such route.")),
    };
    Ok(Answer::json(&office.directory(&ask).await?))
}

/// What is to be restored, from fields or a query.
fn action<'a>(field: impl Fn(&'static str) -> Option<&'a str>) -> Result<RestoreAction, Refused> {
    let what = field("what").and_then(What::read);
    let Some(what) = what else {
        return Err(Refused::bad_input("The field `what` must be `all`, `directory` or `conversation`."));
    };
    Ok(RestoreAction {
        what,
        session: field("session").map(str::to_owned),
        manifest: field("manifest").map(str::to_owned),
    })
}

fn overview(view: &BackupsView, lang: Lang, now: i64) -> Markup {
    let open = view.runs.first().is_some_and(|run| run.state == "open");
    let restoring = view.restore.as_ref().is_some_and(|restore| restore.state == "open");
    html! {
        @if !view.looked { p.flash role="status" { (say::looking(lang)) } }
        @if view.manifests.iter().any(|manifest| manifest.found) { p.flash role="status" { (say::found(lang)) } }
        div.grid {
            (look::card(say::state(lang), html! {
                p {
                    (say::last(lang)) ": " (look::time_or_never(lang, view.newest_at)) " "
                    @if view.newest_at.is_none_or(|at| now - at > OLD_MS) { (look::badge(Tone::Warning, "!")) }
                }
                p { (say::conversations(lang)) ": " span.number { (view.conversations) } ", "
                    (say::unsaved(lang)) ": " span.number { (view.unsaved) } }
                p { (say::stored(lang)) ": " span.number { (say::bytes(lang, view.bytes)) " · " (view.files) } " " (say::files(lang)) }
                @if open { p role="status" { (say::under_way(lang)) } }
                @if !open && !restoring { (look::button("/_admin/backups", &[], say::back_up_now(lang), Tone::Good)) }
            }))
            @if let Some(restore) = &view.restore { (look::card(say::last_restore(lang), restored(restore, lang))) }
        }
        @if !view.failures.is_empty() { (look::card(say::failures(lang), failures(view, lang))) }
        (look::card(say::restore_points(lang), restore_points(view, lang, restoring)))
        (look::card(say::runs(lang), runs(&view.runs, lang)))
    }
}

fn restored(restore: &RestoreView, lang: Lang) -> Markup {
    let (tone, word) = match restore.state.as_str() {
        "done" => (Tone::Good, say::ok(lang)),
        "open" => (Tone::Plain, say::open(lang)),
        "partly" => (Tone::Warning, say::partly(lang)),
        _ => (Tone::Bad, say::failed(lang)),
    };
    html! {
        p { (look::badge(tone, word)) " " (what(restore.what, &restore.session, lang)) ": "
            span.number { (say::progress(lang, restore.done, restore.failed, restore.total)) } }
        @if let Some(error) = &restore.error { p { (error) } }
        @if !restore.failures.is_empty() {
            ul.problems { @for item in &restore.failures { li { code { (item.object) } " — " (item.error) } } }
        }
        p.quiet { (look::time(restore.started_at)) ", " (restore.who) }
        @if restore.state == "open" { p role="status" { (say::restoring(lang)) } }
    }
}

fn failures(view: &BackupsView, lang: Lang) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { (say::object(lang)) } th { (say::error(lang)) } th.number { (say::tries(lang)) } th { (say::since(lang)) } } }
            tbody { @for failure in &view.failures {
                tr { td { code { (failure.object) } } td { (failure.error) } td.number { (failure.tries) } td { (look::time(failure.at)) } }
            } }
        } }
    }
}

fn restore_points(view: &BackupsView, lang: Lang, restoring: bool) -> Markup {
    if view.manifests.is_empty() {
        return look::nothing(lang);
    }
    html! {
        p.quiet { (say::restore_help(lang)) }
        div.scroll { table {
            thead { tr { th { (say::at(lang)) } th.number { (say::objects(lang)) } th.number { (say::size(lang)) } th {} } }
            tbody { @for manifest in &view.manifests { (restore_point(manifest, lang, restoring)) } }
        } }
        @if !restoring {
            h3 { (say::one_conversation(lang)) }
            form method="get" action="/_admin/backups/restore" {
                input type="hidden" name="what" value="conversation";
                label { (say::session(lang)) " " input name="session" required maxlength="200"; }
                label { (say::from(lang)) " "
                    select name="manifest" {
                        @for manifest in view.manifests.iter().take(OFFERED) {
                            option value=(manifest.key) selected[view.usual_manifest.as_ref() == Some(&manifest.key)] {
                                (crate::text::calendar::date_time(manifest.at)) " UTC"
                            }
                        }
                    }
                }
                button type="submit" { (say::go_on(lang)) }
            }
        }
    }
}

fn restore_point(manifest: &ManifestView, lang: Lang, restoring: bool) -> Markup {
    let link =
        |what: What| format!("/_admin/backups/restore?what={}&manifest={}", what.as_str(), look::encode(&manifest.key));
    html! {
        tr {
            td { (look::time(manifest.at)) @if manifest.found { " " (look::badge(Tone::Warning, say::before_loss(lang))) } }
            // What was only found in storage says no more than its name.
            td.number { @if manifest.objects > 0 { (manifest.objects) } }
            td.number { @if manifest.objects > 0 { (say::bytes(lang, manifest.bytes)) } }
            td { @if !restoring {
                a href=(link(What::All)) { (say::everything(lang)) } " "
                a href=(link(What::Directory)) { (say::directory_only(lang)) }
            } }
        }
    }
}

fn runs(runs: &[RunView], lang: Lang) -> Markup {
    if runs.is_empty() {
        return look::nothing(lang);
    }
    html! {
        div.scroll { table {
            thead { tr { th { (say::started(lang)) } th { (say::result(lang)) } th.number { (say::size(lang)) } } }
            tbody { @for run in runs {
                tr {
                    td { (look::time(run.started_at)) br; span.quiet {
                        @if run.reason == "asked" { (say::by_hand(lang)) } @else { (say::by_schedule(lang)) }
                    } }
                    td {
                        @match run.state.as_str() {
                            "open" => (look::badge(Tone::Plain, say::open(lang))),
                            "done" if run.failed == 0 => (look::badge(Tone::Good, say::ok(lang))),
                            "done" => (look::badge(Tone::Warning, say::partly(lang))),
                            _ => (look::badge(Tone::Bad, say::failed(lang))),
                        }
                        " " (say::outcome(lang, run.done, run.failed, run.deleted))
                        @if let Some(error) = &run.error { br; (error) }
                    }
                    td.number { (say::bytes(lang, run.bytes)) }
                }
            } }
        } }
    }
}

fn what(what: What, session: &str, lang: Lang) -> Markup {
    match what {
        What::All => html! { (say::all(lang)) },
        What::Directory => html! { (say::directory(lang)) },
        What::Conversation => html! { code { (session) } },
    }
}

/// What would be replaced, and the button that does it.
fn confirmation(view: &BackupsView, action: &RestoreAction, lang: Lang) -> Result<Markup, Refused> {
    let wanted = action.manifest.as_ref().or(view.usual_manifest.as_ref());
    let manifest = view.manifests.iter().find(|manifest| Some(&manifest.key) == wanted);
    let Some(manifest) = manifest else { return Err(Refused::not_found("There is no such restore point.")) };
    let session = action.session.as_deref().unwrap_or_default();
    if action.what == What::Conversation && session.is_empty() {
        return Err(Refused::bad_input("Name the conversation in `session`."));
    }
    let replaced = match action.what {
        What::All => say::replaced_all(lang),
        What::Directory => say::replaced_directory(lang),
        What::Conversation => say::replaced_conversation(lang),
    };
    let mut fields = vec![("what", action.what.as_str()), ("manifest", manifest.key.as_str())];
    if action.what == What::Conversation {
        fields.push(("session", session));
    }
    Ok(html! {
        (look::card(say::what_is_replaced(lang), html! {
            p { strong { (what(action.what, session, lang)) } " · " (look::time(manifest.at)) }
            p { (replaced) }
            p.quiet { (say::what_stays(lang)) }
            p { code { (manifest.key) } }
            (look::button("/_admin/backups/restore", &fields, say::do_restore(lang), Tone::Bad))
            a href="/_admin/backups" { (words::cancel(lang)) }
        }))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::super::Area;
    use super::super::testing::{T0, TestOffice};
    use super::*;

    /// With a manifest of a day ago, or a hostile one.
    fn office(key: &str) -> TestOffice {
        let office = TestOffice::new();
        office.directory.note_manifest_for_tests(key, T0 - 1_000);
        office
    }

    const KEY: &str = "backups/2026-11-18/manifest-1794999999000.ndjson.gz";

    #[test]
    fn a_backup_is_begun_and_shown() {
        let office = office(KEY);
        let html = office.page("backups");
        assert!(
            html.contains("Back up now") && html.contains("what=all&amp;manifest=backups%2F2026-11-18%2Fmanifest-")
        );
        let answer = office.ask(Area::Pages, Method::Post, "backups", "", Lang::En);
        assert_eq!(answer, Answer::See("/_admin/backups?done=1".into()));
        let html = office.page("backups");
        assert!(html.contains("A backup is being made") && !html.contains("Back up now"));
        let Answer::Json { status, json } = office.ask(Area::Api, Method::Post, "backups", "", Lang::En) else {
            panic!()
        };
        assert_eq!((status, json.contains("under way already")), (409, true));
        let Answer::Json { json, .. } = office.ask(Area::Api, Method::Get, "backups", "", Lang::En) else { panic!() };
        let view: BackupsView = serde_json::from_str(&json).unwrap();
        assert_eq!((view.runs.len(), view.usual_manifest.as_deref()), (1, Some(KEY)));
    }

    #[test]
    fn a_restore_is_asked_about_first_and_says_what_it_replaces() {
        let office = office(KEY);
        let html = office.page(&format!("backups/restore?what=conversation&session=main:5&manifest={KEY}"));
        assert!(html.contains("<code>main:5</code>") && html.contains("Replace and restore") && html.contains(KEY));
        let Answer::Json { json, .. } = office.ask(Area::Api, Method::Get, "backups/restore", "", Lang::En) else {
            panic!()
        };
        assert_eq!(json, "null", "looking changes nothing");
        let form = format!("what=conversation&session=main:5&manifest={KEY}");
        let answer = office.ask(Area::Pages, Method::Post, "backups/restore", &form, Lang::En);
        assert_eq!(answer, Answer::See("/_admin/backups?done=1".into()));
        let Answer::Json { json, .. } = office.ask(Area::Api, Method::Get, "backups/restore", "", Lang::En) else {
            panic!()
        };
        let restore: RestoreView = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (restore.what, restore.session.as_str(), restore.who.as_str()),
            (What::Conversation, "main:5", "admin:ann@example.com")
        );
        let Answer::Page { html, .. } = office.ask(Area::Pages, Method::Get, "backups", "", Lang::Ru) else { panic!() };
        assert!(html.contains("Идёт восстановление") && !html.contains("what=all"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_field() {
        let office = office(KEY);
        for (form, status) in [
            ("", 400),
            ("what=nothing", 400),
            ("what=conversation", 400),
            ("what=all&session=main:5", 400),
            ("what=all&manifest=../x", 400),
        ] {
            let Answer::Json { status: got, .. } =
                office.ask(Area::Api, Method::Post, "backups/restore", form, Lang::En)
            else {
                panic!()
            };
            assert_eq!(got, status, "{form}");
        }
        let unknown = office.ask(Area::Pages, Method::Get, "backups/restore?what=all&manifest=nope", "", Lang::En);
        assert!(matches!(unknown, Answer::Page { status: 404, .. }));
        assert!(matches!(
            office.ask(Area::Api, Method::Get, "backups/nope", "", Lang::En),
            Answer::Json { status: 404, .. }
        ));
    }

    #[test]
    fn names_in_the_address_are_no_markup() {
        let office = office(KEY);
        let html = office.page("backups/restore?what=conversation&session=%3Cscript%3Ealert(1)%3C/script%3E");
        assert!(!html.contains("<script>alert") && html.contains("&lt;script&gt;"));
    }
}
