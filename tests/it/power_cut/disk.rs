//! A disk as POSIX promises it: what was synced is there after a power cut; of everything else, any part may be, down to
//! single sectors. A file's name is there when its folder was synced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::shim::Deed;

const SECTOR: usize = 512;

/// What of the unsynced part reaches the disk.
#[derive(Debug, Clone, Copy)]
pub enum Luck {
    /// Nothing.
    None,
    /// All of it: as after a crash of the program alone.
    All,
    /// Each name and each sector by the throw of a coin: torn, partly applied, out of order.
    Coins(u64),
}

/// The state of a disk after some deeds.
#[derive(Debug, Default)]
pub struct Disk {
    files: Vec<File>,
    /// Names as the program sees them, and as they are after a power cut. A folder is a name without a file.
    names: BTreeMap<PathBuf, Option<usize>>,
    synced_names: BTreeMap<PathBuf, Option<usize>>,
    unsynced_names: Vec<Name>,
}

#[derive(Debug, Default)]
struct File {
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { place: usize, data: Vec<u8> },
    Cut { length: usize },
}

#[derive(Debug, Clone)]
enum Name {
    Set(PathBuf, Option<usize>),
    Gone(PathBuf),
    Moved(PathBuf, PathBuf),
}

impl Name {
    fn is_in(&self, folder: &Path) -> bool {
        match self {
            Name::Set(path, _) | Name::Gone(path) | Name::Moved(path, _) => path.parent() == Some(folder),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, Option<usize>>) {
        match self {
            Name::Set(path, file) => drop(names.insert(path.clone(), *file)),
            Name::Gone(path) => drop(names.remove(path)),
            Name::Moved(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

impl Disk {
    pub fn take(&mut self, path: &Path, deed: &Deed) {
        match deed {
            Deed::Made => {
                self.files.push(File::default());
                self.name(Name::Set(path.to_owned(), Some(self.files.len() - 1)));
            }
            Deed::FolderMade => self.name(Name::Set(path.to_owned(), None)),
            Deed::Removed => self.name(Name::Gone(path.to_owned())),
            Deed::Renamed { to } => self.name(Name::Moved(path.to_owned(), to.clone())),
            Deed::Written { place, data } => {
                self.file(path).unsynced.push(Change::Write { place: *place, data: data.clone() });
            }
            Deed::Cut { length } => self.file(path).unsynced.push(Change::Cut { length: *length }),
            Deed::Synced => {
                let file = self.file(path);
                for change in std::mem::take(&mut file.unsynced) {
                    change.apply(&mut file.synced, &mut || true);
                }
            }
            Deed::FolderSynced => {
                let names = std::mem::take(&mut self.unsynced_names);
                let (synced, rest) = names.into_iter().partition(|name| name.is_in(path));
                self.unsynced_names = rest;
                let synced: Vec<Name> = synced;
                synced.iter().for_each(|name| name.apply(&mut self.synced_names));
            }
            Deed::Said(_) => {}
        }
    }

    fn name(&mut self, name: Name) {
        name.apply(&mut self.names);
        self.unsynced_names.push(name);
    }

    fn file(&mut self, path: &Path) -> &mut File {
        let found = self.names.get(path).copied().flatten().unwrap_or_else(|| panic!("no file {}", path.display()));
        &mut self.files[found]
    }

    /// Files and folders under `root` as a machine finds them that starts again now.
    pub fn after_a_cut(&self, root: &Path, luck: Luck) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut coins = Coins::new(luck);
        let mut names = self.synced_names.clone();
        for name in &self.unsynced_names {
            if coins.throw() {
                name.apply(&mut names);
            }
        }
        let under = |path: &&PathBuf| path.ancestors().skip(1).any(|above| above == root);
        let whole = |path: &&PathBuf| {
            let above = path.ancestors().skip(1).take_while(|above| *above != root);
            above.into_iter().all(|above| names.get(above) == Some(&None))
        };
        let found = names.keys().filter(under).filter(whole).cloned().collect::<Vec<_>>();
        found
            .into_iter()
            .map(|path| {
                let file = names[&path];
                (path, file.map(|file| self.files[file].after_a_cut(&mut coins)))
            })
            .collect()
    }
}

impl File {
    fn after_a_cut(&self, coins: &mut Coins) -> Vec<u8> {
        let mut found = self.synced.clone();
        for change in &self.unsynced {
            change.apply(&mut found, &mut || coins.throw());
        }
        found
    }
}

impl Change {
    /// Each sector that the throw allows.
    fn apply(&self, bytes: &mut Vec<u8>, allowed: &mut impl FnMut() -> bool) {
        match self {
            Change::Cut { length } => {
                if allowed() {
                    bytes.resize(*length, 0);
                }
            }
            Change::Write { place, data } => {
                let mut at = *place;
                let end = place + data.len();
                while at < end {
                    let next = (at / SECTOR + 1) * SECTOR;
                    let until = next.min(end);
                    if allowed() {
                        if bytes.len() < until {
                            bytes.resize(until, 0);
                        }
                        bytes[at..until].copy_from_slice(&data[at - place..until - place]);
                    }
                    at = until;
                }
            }
        }
    }
}

/// The same throws for the same seed (SplitMix64).
struct Coins {
    luck: Luck,
    state: u64,
}

impl Coins {
    fn new(luck: Luck) -> Self {
        let state = if let Luck::Coins(seed) = luck { seed } else { 0 };
        Coins { luck, state }
    }

    fn throw(&mut self) -> bool {
        match self.luck {
            Luck::None => false,
            Luck::All => true,
            Luck::Coins(_) => {
                self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut mixed = self.state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                (mixed ^ (mixed >> 31)) & 1 == 1
            }
        }
    }
}

#[test]
fn what_was_not_synced_may_be_gone_in_any_part() {
    let root = Path::new("/disk");
    let path = root.join("file");
    let mut disk = Disk::default();
    disk.take(&path, &Deed::Made);
    disk.take(&path, &Deed::Written { place: 0, data: vec![1; 600] });
    disk.take(&path, &Deed::Synced);
    assert!(disk.after_a_cut(root, Luck::None).is_empty(), "its name was not synced");
    disk.take(root, &Deed::FolderSynced);
    disk.take(&path, &Deed::Written { place: 500, data: vec![2; 1000] });
    let file = |luck| disk.after_a_cut(root, luck)[&path].clone().unwrap();
    assert_eq!(file(Luck::None), vec![1; 600]);
    assert_eq!(file(Luck::All), [vec![1; 500], vec![2; 1000]].concat());
    let torn: std::collections::BTreeSet<Vec<u8>> = (0..40).map(|seed| file(Luck::Coins(seed))).collect();
    assert_eq!(torn.len(), 8, "three pieces of sectors, each there or not");
}
