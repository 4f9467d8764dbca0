//! The users of a virtual host, as its /etc/passwd and /etc/group tell them.

use super::disk::Disk;

/// One line of /etc/passwd with the groups that name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    /// The primary group's name.
    pub group: String,
    /// Every group, the primary one first.
    pub groups: Vec<String>,
    pub home: String,
    pub shell: String,
}

impl Account {
    pub fn root() -> Self {
        Self { home: "/root".into(), ..Self::plain("root", 0) }
    }

    /// An account with a group of its own and a home of its own.
    pub fn plain(name: &str, id: u32) -> Self {
        Self {
            name: name.to_string(),
            uid: id,
            gid: id,
            group: name.to_string(),
            groups: vec![name.to_string()],
            home: format!("/home/{name}"),
            shell: "/bin/bash".to_string(),
        }
    }

    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Looks a user up by name or by number.
    pub async fn find(disk: &Disk, who: &str) -> Option<Self> {
        let passwd = disk.text("/etc/passwd").await?;
        let line = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| {
            fields.len() >= 7 && (fields[0] == who || (who.parse::<u32>().is_ok() && fields[2] == who))
        })?;
        let gid: u32 = line[3].parse().ok()?;
        let groups = groups(disk).await;
        let group =
            groups.iter().find(|group| group.gid == gid).map_or_else(|| gid.to_string(), |group| group.name.clone());
        let more = groups.iter().filter(|g| g.name != group && g.members.iter().any(|member| member == line[0]));
        Some(Self {
            name: line[0].to_string(),
            uid: line[2].parse().ok()?,
            gid,
            groups: std::iter::once(group.clone()).chain(more.map(|g| g.name.clone())).collect(),
            group,
            home: line[5].to_string(),
            shell: line[6].to_string(),
        })
    }
}

/// One line of /etc/group.
pub struct Group {
    pub name: String,
    pub gid: u32,
    pub members: Vec<String>,
}

/// Every line of /etc/group that can be read.
pub async fn groups(disk: &Disk) -> Vec<Group> {
    let text = disk.text("/etc/group").await.unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let gid = fields.get(2)?.parse().ok()?;
            let members = fields.get(3)?.split(',').filter(|name| !name.is_empty()).map(str::to_string).collect();
            Some(Group { name: fields[0].to_string(), gid, members })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::disk::Owner;
    use super::*;

    #[tokio::test]
    async fn an_account_knows_all_its_groups() {
        let disk = Disk::new();
        disk.put(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nu:x:1000:1001::/home/u:/bin/sh\n",
            0o644,
            Owner::root(),
        );
        disk.put("/etc/group", "root:x:0:\nsudo:x:27:u,v\nstaff:x:1001:\n", 0o644, Owner::root());
        let user = Account::find(&disk, "u").await.unwrap();
        assert_eq!(user.groups, ["staff", "sudo"]);
        assert_eq!(Account::find(&disk, "1000").await, Some(user));
        assert_eq!(Account::find(&disk, "nobody-here").await, None);
    }
}
