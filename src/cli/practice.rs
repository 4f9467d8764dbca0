//! `onramp practice`: everything, against a cloud and hosts inside this program. No account, no network, no cost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use secrecy::SecretString;
use tokio::runtime::Runtime;

use super::answers::{self, Answers, Asked};
use super::context::{self, Context, DEFAULT_RUNBOOK};
use super::failure::{Failure, Kind};
use super::print::{self, Stream};
use super::run::Walk;
use super::session::{self, Session};
use super::{Everywhere, diagnose, home, new, undo, verify};
use crate::action::{self, Vault, Worlds};
use crate::aws::{Codes, Wiring};
use crate::engagement::{Address, At, Event, RunScope, State};
use crate::engine::{Clock, Handle, Notice, Request};
use crate::input::{Kind as InputKind, SecretRef, SecretUse, Value};
use crate::journal::Writer;
use crate::practice::{Account, Fault, Faults, Mishap, Pace};
use crate::ssh;
use crate::text;
use crate::ui::{Desk, Doors, Edition, EngagementCard};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Trouble on purpose: throttle, lost-reply, slow, denied and others, which --fault help lists; may be repeated
    #[arg(long, value_name = "KIND")]
    fault: Vec<String>,
    /// Walk to the end by itself, without a screen
    #[arg(long)]
    headless: bool,
    /// The same number gives the same trouble
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Forget the last practice and begin anew
    #[arg(long)]
    fresh: bool,
    /// A runbook of your own, file or folder, instead of the shipped one; for a practice that begins anew
    #[arg(long, value_name = "RUNBOOK", default_value = DEFAULT_RUNBOOK, hide_default_value = true)]
    runbook: String,
    /// How long things take in the practice cloud
    #[arg(long, value_enum, default_value = "human", hide = true)]
    pace: Speed,
    /// YAML file of inputs and sign-offs, instead of the shipped one (with --headless)
    #[arg(long, value_name = "FILE", requires = "headless")]
    answers: Option<PathBuf>,
    /// What is written to standard output (with --headless)
    #[arg(long, value_enum, default_value = "text")]
    format: Stream,
    /// Only say where the practice engagement stands
    #[arg(long, conflicts_with = "headless")]
    status: bool,
    /// Only check again everything that is done
    #[arg(long, conflicts_with = "headless")]
    verify: bool,
    /// Only find out what is the matter with a step
    #[arg(long, value_name = "STEP", conflicts_with = "headless")]
    diagnose: Option<Address>,
    /// Only let something go wrong at the customer's end; see it with --verify, and ask --diagnose
    #[arg(long = "break", value_name = "WHAT", value_parser = mishaps(), conflicts_with = "headless")]
    broken: Option<Mishap>,
    /// Only put right again what --break has broken
    #[arg(long, conflicts_with_all = ["headless", "broken"])]
    mend: bool,
    /// Only take everything back, and say what is left of it
    #[arg(long, conflicts_with = "headless")]
    undo: bool,
    /// Only list objects of the practice cloud that exist twice
    #[arg(long, hide = true, conflicts_with = "headless")]
    doubles: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Speed {
    Instant,
    Human,
}

/// What can be broken, by its name.
fn mishaps() -> impl TypedValueParser<Value = Mishap> {
    let all = Mishap::ALL.map(|one| PossibleValue::new(one.name()).help(one.says()));
    let named = |name: String| Mishap::ALL.into_iter().find(|one| one.name() == name).ok_or("there is no such thing");
    PossibleValuesParser::new(all).try_map(named)
}

const NAME: &str = "practice";
/// An account of AWS's own documentation.
const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";
/// The operator's key of a practice engagement, in its folder.
const KEY: &str = "operator_ed25519";
const ANSWERS: &str = include_str!("../../runbooks/practice-answers.yaml");

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    // A folder of its own: practice is never among real engagements.
    let context = &Context { data: context.data.join("practice"), ..context.clone() };
    let folder = context.folder(NAME)?;
    if arguments.status {
        return super::status::one_text(context, NAME);
    }
    if arguments.fresh && folder.exists() {
        // One that cannot be walked takes nothing away.
        context::usable(&context::runbook_files(&arguments.runbook)?)?;
        drop(Writer::open(&folder, &context.holder())?);
        std::fs::remove_dir_all(&folder).map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    }
    if folder.exists() && arguments.runbook != DEFAULT_RUNBOOK {
        the_same_runbook(context, &arguments.runbook)?;
    }
    let looks_back = arguments.verify || arguments.undo || arguments.diagnose.is_some();
    if !folder.exists() && (looks_back || arguments.doubles) {
        return Err(Failure::usage("there is no practice yet").hint("begin one with: onramp practice"));
    }
    if arguments.fault.iter().any(|name| name == "help") {
        let all: String = Fault::all().map(|fault| format!("{}: {}\n", fault.name(), fault.says())).collect();
        print::out(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut faults = Vec::new();
    for name in &arguments.fault {
        faults.push(Fault::parse(name).map_err(|error| {
            let all: Vec<_> = Fault::all().map(|fault| format!("{}: {}", fault.name(), fault.says())).collect();
            Failure::usage(error.to_string()).hint(format!("there are\n    {}", all.join("\n    ")))
        })?);
    }
    let pace = match arguments.pace {
        Speed::Instant => Pace::Instant,
        Speed::Human => Pace::Human,
    };
    let runtime = session::runtime()?;
    let trouble = !faults.is_empty();
    let account = Account::new(ACCOUNT, REGION, pace, Faults::new(arguments.seed, faults));
    runtime.spawn(account.clone().follow());
    let (runbook, everywhere) = (arguments.runbook.clone(), everywhere.clone());
    let practice = Practice { context: context.clone(), everywhere, runbook, runtime, account, trouble };
    if arguments.doubles {
        return practice.doubles(&folder);
    }
    if arguments.mend || arguments.broken.is_some() {
        return practice.happen(&folder, arguments.broken);
    }
    if arguments.verify {
        return practice.verify();
    }
    if arguments.undo {
        return practice.undo();
    }
    if let Some(step) = &arguments.diagnose {
        return practice.diagnose(step);
    }
    if arguments.headless { practice.headless(arguments) } else { practice.screen() }
}

#[derive(Clone)]
struct Practice {
    context: Context,
    everywhere: Everywhere,
    runbook: String,
    runtime: Arc<Runtime>,
    account: Account,
    /// Is there trouble on purpose?
    trouble: bool,
}

/// A practice goes on with the runbook that it began with.
fn the_same_runbook(context: &Context, given: &str) -> Result<(), Failure> {
    let (engagement, begun, _) = session::look(context, NAME)?;
    let files = context::runbook_files(given)?;
    let id = context::usable(&files)?.id;
    let said = if id != begun.id {
        format!("there is a practice already, and it walks {}, not {id}", begun.id)
    } else if files != *engagement.runbook_files {
        format!(
            "there is a practice already, and it walks {id} as it was when it began; {given} says something else by now"
        )
    } else {
        return Ok(());
    };
    let hint = "begin anew with: onramp practice --fresh --runbook RUNBOOK; go on as it was begun without --runbook";
    Err(Failure::usage(said).hint(hint))
}

impl Practice {
    fn file(folder: &Path) -> PathBuf {
        folder.join("account.json")
    }

    /// Takes the account up where the last practice left it. Only the holder of the engagement may: the account is
    /// written from now on.
    fn wake(&self, folder: &Path) -> Result<(), Failure> {
        let file = Practice::file(folder);
        let woken = self.runtime.block_on(self.account.live_in(&file));
        woken.map_err(|error| {
            Failure::usage(format!("{}: {error}", file.display())).hint("begin anew with: onramp practice --fresh")
        })
    }

    /// What nobody has looked at yet is kept, too.
    fn sleep(&self) -> Result<(), Failure> {
        let kept = self.runtime.block_on(self.account.put_away());
        kept.map_err(|error| Failure::usage(error.to_string()))
    }

    fn open(&self, codes: Option<Arc<dyn Codes>>) -> Result<Session, Failure> {
        let folder = self.context.folder(NAME)?;
        let writer = if folder.join(crate::journal::FILE).exists() {
            Writer::open(&folder, &self.context.holder())?
        } else {
            self.begin(&folder)?
        };
        self.wake(&folder)?;
        let worlds = self.worlds(session::vault(&self.context, &folder), codes, own_set_up(&folder)?);
        let session = Session::start(&self.context, writer, worlds, self.runtime.clone())?;
        self.tell_customer(&session.handle);
        Ok(session)
    }

    /// The same, where nobody is to type anything: practice has a secret for each input that is to be asked for, and the
    /// code of a device.
    fn open_unattended(&self) -> Result<Session, Failure> {
        let session = self.open(Some(Arc::new(Device)))?;
        let said = session.handle.runbook().fields.values().filter_map(|field| match &field.kind {
            InputKind::Secret(rule) => {
                let id = field.id.to_string();
                let text = typed(&id, rule.used_as);
                Some((SecretRef::Prompt { what_for: id }, Some(text)))
            }
            _ => None,
        });
        session.handle.send(Request::Secrets(said.collect()));
        Ok(session)
    }

    /// The customer of practice hears what they are asked, and what they were asked before this program began.
    fn tell_customer(&self, handle: &Handle) {
        let waits = |state: &State| match state {
            State::Waiting { wait, .. } => Some(wait.ask.clone()),
            _ => None,
        };
        let asked: Vec<String> = handle.engagement().steps.values().filter_map(|record| waits(&record.state)).collect();
        let (notices, account, runtime) = (handle.subscribe(), self.account.clone(), self.runtime.clone());
        std::thread::spawn(move || {
            let tell = |ask: &str| runtime.block_on(account.ask_customer(ask));
            asked.iter().for_each(|ask| tell(ask));
            for notice in notices {
                if let Notice::Recorded(recorded) = notice
                    && let Event::Waiting { ask, .. } = recorded.event
                {
                    tell(&ask);
                }
            }
        });
    }

    /// A new practice engagement knows its account, its region and the operator's key; all else is for the person.
    fn begin(&self, folder: &Path) -> Result<Writer, Failure> {
        let files = context::runbook_files(&self.runbook)?;
        let runbook = context::usable(&files)?;
        let mut writer = new::begin(&self.context, NAME, files, &runbook, true)?;
        let key = folder.join(KEY);
        let public = ssh::new_key_file(&key).map_err(|error| Failure::usage(error.to_string()))?;
        let furnished = self.runtime.block_on(self.account.furnish(&public));
        furnished.map_err(|error| Failure::usage(error.to_string()))?;
        let given = BTreeMap::from([
            ("aws.account_id", ACCOUNT.to_owned()),
            ("aws.region_primary", REGION.to_owned()),
            ("net.ssh_public_key", public),
            ("net.ssh_key_ref", key.display().to_string()),
        ]);
        let declared = |id: &str| runbook.fields.keys().any(|known| known.as_str() == id);
        let given = given.iter().filter(|(id, _)| declared(id));
        let arguments: Vec<String> = given.map(|(id, value)| format!("{id}={value}")).collect();
        let answers = answers::from_arguments(&arguments, &Asked::new(&runbook, session::setting(true)))?;
        session::give(&mut writer, &runbook, &"practice@onramp".to_owned(), answers.inputs)?;
        Ok(writer)
    }

    /// Without `codes` whoever sits at the screen is asked.
    fn worlds(&self, vault: Vault, codes: Option<Arc<dyn Codes>>, config: ssh::Config) -> Worlds {
        let cloud = self.account.cloud();
        let desk = action::Desk::new(vault.masks().clone());
        let wiring = Wiring {
            region: REGION.to_owned(),
            http_client: Some(cloud.http_client()),
            credentials: Some(cloud.credentials()),
            codes: Some(codes.unwrap_or_else(|| desk.clone())),
            ..Wiring::default()
        };
        let settings = ssh::Settings::new(self.account.dialer(), Vec::new(), None);
        let settings = ssh::Settings { person: Some(desk.clone()), config: Arc::new(config), ..settings };
        let worlds = Worlds::unconnected(wiring, ssh::Pool::new(settings)).with_vault(vault).with_desk(desk);
        let worlds = worlds.with_net(self.account.net());
        // With trouble on purpose it is like AWS, where one has to wait before anything is said again.
        if self.trouble { worlds } else { worlds.that_shows_at_once() }
    }

    fn headless(&self, arguments: &Arguments) -> Result<ExitCode, Failure> {
        let session = self.open_unattended()?;
        session.greet();
        let asked = Asked::new(session.handle.runbook(), session::setting(true));
        let given = match &arguments.answers {
            Some(path) => answers::from_file(path, &asked)?,
            None => answers::of_those_asked_for(ANSWERS, "the practice answers", &asked)?,
        };
        let given = only_new(given, &session);
        let ended = self.walked(&mut Walk::new(&session, arguments.format, true), given);
        session.close();
        let slept = self.sleep();
        ended?;
        slept?;
        let done = "practice is done: nothing of it was real. Look at it with: onramp open NAME";
        print::say(&session.reach.put(done));
        Ok(ExitCode::SUCCESS)
    }

    /// To the end. Whom practice has asked does it after a while: as long as something comes of waiting, it waits.
    fn walked(&self, walk: &mut Walk<'_>, given: Answers) -> Result<(), Failure> {
        let sign_offs = given.sign_offs.clone();
        let (mut given, mut before) = (given, None);
        loop {
            let ended = walk.go(given, &RunScope::All);
            let settled = Some(walk.settled());
            let waits = ended.as_ref().is_err_and(|failure| failure.kind == Kind::Waiting);
            if !waits || settled == before {
                return ended;
            }
            before = settled;
            std::thread::sleep(self.account.cloud().pace().patience());
            given = Answers { inputs: Vec::new(), sign_offs: sign_offs.clone() };
        }
    }

    fn verify(&self) -> Result<ExitCode, Failure> {
        let session = self.open_unattended()?;
        let ended = verify::report(&session, print::Format::Text);
        session.close();
        self.sleep()?;
        ended.map(|()| ExitCode::SUCCESS)
    }

    fn diagnose(&self, step: &Address) -> Result<ExitCode, Failure> {
        let session = self.open_unattended()?;
        let ended = diagnose::report(&session, step, print::Format::Text);
        session.close();
        self.sleep()?;
        ended.map(|()| ExitCode::SUCCESS)
    }

    /// Something goes wrong at the customer's end, or all is well there again.
    fn happen(&self, folder: &Path, mishap: Option<Mishap>) -> Result<ExitCode, Failure> {
        let nowhere = || {
            Failure::usage("there is no such connection to the customer's data centre in this practice (of a line alone only the firewall and the fibre can be broken)").hint(
                "walk one with a VPN or a line: onramp practice --fresh --headless --answers FILE, where FILE says conn.mode",
            )
        };
        if !folder.exists() {
            return Err(nowhere());
        }
        let session = self.open_unattended()?;
        let there = self.runtime.block_on(self.account.cloud().happen(mishap));
        session.close();
        self.sleep()?;
        if there.is_empty() {
            return Err(nowhere());
        }
        let there = text::list(&there);
        let said = match mishap {
            None => format!("All is well again at {there}."),
            Some(mishap) => format!("{}: {there}.", mishap.says()),
        };
        print::line(&said)?;
        let next =
            "onramp verify NAME shows what that does; --diagnose STEP in the place of --verify says what is the matter";
        if mishap.is_some() {
            print::say(&session.reach.put(next));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Takes everything back. What carries the engagement's tags after that is an error.
    fn undo(&self) -> Result<ExitCode, Failure> {
        let session = self.open_unattended()?;
        session.greet();
        let ended = undo::review(&session, &undo::Arguments::everything(NAME));
        session.close();
        self.sleep()?;
        ended?;
        let left = self.runtime.block_on(self.account.cloud().objects());
        if !left.is_empty() {
            return Err(Failure::new(Kind::StepFailed, format!("these are left: {}", left.join(", "))));
        }
        print::line("nothing is left in AWS")?;
        Ok(ExitCode::SUCCESS)
    }

    fn screen(&self) -> Result<ExitCode, Failure> {
        home::need_terminal()?;
        let session = self.open(None)?;
        let mut doors = self.clone();
        let desk =
            Desk { engagements: doors.cards(), open: Some(session.handle.clone()), doors: Box::new(self.clone()) };
        let ended = home::run(&self.context, &self.everywhere, &self.runtime, desk, true);
        self.sleep()?;
        ended
    }

    /// Objects of one engagement that carry the same key: there must never be two.
    fn doubles(&self, folder: &Path) -> Result<ExitCode, Failure> {
        let loaded = self.runtime.block_on(self.account.load(&Practice::file(folder)));
        loaded.map_err(|error| Failure::usage(error.to_string()))?;
        let twice = self.runtime.block_on(self.account.doubles());
        print::line(&if twice.is_empty() { "none".to_owned() } else { twice.join("\n") })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The engineer's SSH set-up in practice: the operator's key, for hosts of which the runbook names none.
fn own_set_up(folder: &Path) -> Result<ssh::Config, Failure> {
    let file = folder.join("ssh_config");
    let text = format!("IdentityAgent none\nIdentityFile \"{}\"\n", folder.join(KEY).display());
    std::fs::write(&file, text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    Ok(ssh::Config::of(folder, NAME, Some(&file), "", Vec::new()))
}

/// A device that shows codes, where nobody sits beside it.
#[derive(Debug)]
struct Device;

#[async_trait]
impl Codes for Device {
    async fn code(&self, _device: &str, _remark: Option<&str>) -> Option<SecretString> {
        Some(SecretString::from("123456"))
    }
}

/// What nobody types in practice, in the form that the input wants; another for each.
fn typed(id: &str, used_as: SecretUse) -> SecretString {
    let hash = blake3::hash(id.as_bytes()).to_hex();
    SecretString::from(match used_as {
        SecretUse::Ntp => format!("1 SHA256 HEX:{hash}"),
        SecretUse::Key256 => hash.to_string(),
        _ => format!("k{}", &hash[..23]),
    })
}

/// Answers that were given before stay as they are: practice may have been walked by a person first.
fn only_new(answers: Answers, session: &Session) -> Answers {
    let engagement = session.handle.engagement();
    let done = |step: &Address| matches!(engagement.state(step), State::Done { .. });
    Answers {
        inputs: answers.inputs.into_iter().filter(|(id, _): &(_, Value)| !engagement.inputs.contains_key(id)).collect(),
        sign_offs: answers.sign_offs.into_iter().filter(|(step, _)| !done(step)).collect(),
    }
}

impl Doors for Practice {
    fn open(&mut self, _name: &str) -> Result<Handle, String> {
        Practice::open(self, None).map(|session| session.handle).map_err(|failure| failure.message)
    }

    fn create(&mut self, _name: &str) -> Result<Handle, String> {
        Err("practice has one engagement; begin it anew with: onramp practice --fresh".to_owned())
    }

    fn cards(&mut self) -> Vec<EngagementCard> {
        home::cards(&self.context)
    }

    fn edition(&self, id: &str, digest: &str) -> Option<Edition> {
        home::edition(id, digest)
    }

    fn reached(&self, engagement: &str, text: &str) -> String {
        self.context.reach(engagement, true).put(text)
    }

    fn now(&self) -> At {
        Clock::default().now()
    }
}
