//! Places where a state file does not belong: file systems that others write too, and folders that somebody copies about.

use std::path::{Path, PathBuf};

/// File systems over a network or through another program, by the number that Linux gives them (statfs(2)).
#[cfg(target_os = "linux")]
const NETWORK: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "SMB (cifs)"),
    (0xFE53_4D42, "SMB"),
    (0x6573_5546, "FUSE (a folder that another program provides)"),
    (0x0102_1997, "9p (a folder of another system, as Windows drives are in WSL)"),
    (0x5346_414F, "AFS"),
    (0x00C3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
];

/// How the folders of programs begin that copy files between machines.
const SYNCED: &[(&str, &str)] = &[
    ("Dropbox", "Dropbox"),
    ("OneDrive", "OneDrive"),
    ("iCloud", "iCloud"),
    ("Mobile Documents", "iCloud"),
    ("CloudStorage", "a cloud's file provider"),
    ("Google Drive", "Google Drive"),
    ("GoogleDrive", "Google Drive"),
    ("My Drive", "Google Drive"),
    ("Nextcloud", "Nextcloud"),
    ("ownCloud", "ownCloud"),
    ("pCloud", "pCloud"),
    ("Syncthing", "Syncthing"),
];

/// A file that such a program leaves in the folder it copies.
const LEFT: &[(&str, &str)] = &[(".stfolder", "Syncthing"), (".dropbox", "Dropbox"), (".dropbox.cache", "Dropbox")];

/// Why state files do not belong in `folder`, which need not be there yet; nothing, where nothing speaks against it.
pub fn shared(folder: &Path) -> Option<String> {
    let nearest = folder.ancestors().find(|one| one.exists())?;
    // Where a link leads counts.
    let real = nearest.canonicalize().unwrap_or_else(|_| nearest.to_owned());
    let wanted = folder.strip_prefix(nearest).map_or_else(|_| real.clone(), |rest| real.join(rest));
    if let Some(kind) = network(&real) {
        return Some(format!(
            "{} is on {kind}: locks and syncs may not hold there, so two could write at once or a power cut lose what \
             was recorded",
            real.display()
        ));
    }
    synced(&wanted).map(|(above, by)| {
        format!(
            "{} is copied between machines by {by}: a copy taken in mid-write is damaged, and an older one could come \
             back over it",
            above.display()
        )
    })
}

#[cfg(target_os = "linux")]
fn network(path: &Path) -> Option<&'static str> {
    let number = rustix::fs::statfs(path).ok()?.f_type;
    named(u64::try_from(number).ok()?)
}

#[cfg(target_os = "linux")]
fn named(number: u64) -> Option<&'static str> {
    // Some kernels give the number with its sign: only its lower half counts.
    NETWORK.iter().find(|(known, _)| *known == number & 0xFFFF_FFFF).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn network(_path: &Path) -> Option<&'static str> {
    None
}

fn synced(path: &Path) -> Option<(PathBuf, &'static str)> {
    for above in path.ancestors() {
        let name = above.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let by_name = SYNCED.iter().find(|(begins, _)| name.starts_with(&begins.to_lowercase()));
        let by_file = LEFT.iter().find(|(left, _)| above.join(left).exists());
        if let Some((_, by)) = by_name.or(by_file) {
            return Some((above.to_owned(), by));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_copied_between_machines_are_known() {
        let home = tempfile::TempDir::new().unwrap();
        assert_eq!(shared(&home.path().join("state/onramp")), None);
        for (folder, by) in [
            ("Dropbox/state", "Dropbox"),
            ("OneDrive - Example Ltd/state", "OneDrive"),
            ("Library/Mobile Documents/state", "iCloud"),
            ("Google Drive/My Drive", "Google Drive"),
        ] {
            let said = shared(&home.path().join(folder)).unwrap_or_else(|| panic!("{folder}"));
            assert!(said.contains(by), "{folder}: {said}");
        }
        std::fs::create_dir_all(home.path().join("work/.stfolder")).unwrap();
        let said = shared(&home.path().join("work/onramp/engagements")).unwrap();
        assert!(said.contains("Syncthing"), "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn where_a_link_leads_counts() {
        let home = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(home.path().join("Dropbox")).unwrap();
        std::os::unix::fs::symlink(home.path().join("Dropbox"), home.path().join("state")).unwrap();
        assert!(shared(&home.path().join("state/engagements")).is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_known_by_their_number() {
        assert_eq!(named(0x6969), Some("NFS"));
        // As a kernel of 32 bits gives it.
        assert_eq!(named(0xFFFF_FFFF_FF53_4D42), Some("SMB (cifs)"));
        assert_eq!(named(0xEF53), None, "ext4");
    }
}
