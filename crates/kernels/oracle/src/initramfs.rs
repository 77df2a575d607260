//! The guest's only file system: a cpio archive in the "newc" form that the kernel unpacks.

/// An archive under construction.
#[derive(Debug, Default)]
pub(crate) struct Initramfs {
    bytes: Vec<u8>,
    inode: u32,
}

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const FILE: u32 = 0o100_644;

impl Initramfs {
    /// Adds a directory.
    pub(crate) fn directory(&mut self, name: &str) {
        self.entry(name, DIRECTORY, &[]);
    }

    /// Adds an executable file.
    pub(crate) fn program(&mut self, name: &str, data: &[u8]) {
        self.entry(name, PROGRAM, data);
    }

    /// Adds a file.
    pub(crate) fn file(&mut self, name: &str, data: &[u8]) {
        self.entry(name, FILE, data);
    }

    /// The archive, closed.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.inode = u32::MAX;
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, data: &[u8]) {
        self.inode = self.inode.wrapping_add(1);
        let links = if mode == DIRECTORY { 2 } else { 1 };
        let size = u32::try_from(data.len()).expect("a guest's file is far below 4 GiB");
        let name_size = name.len() as u32 + 1;
        // Magic, then: inode, mode, uid, gid, links, mtime, size, device, special device,
        // name size, checksum (unused in this form). No time: the same input, the same bytes.
        self.bytes.extend_from_slice(b"070701");
        for field in [
            self.inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_size, 0,
        ] {
            self.bytes
                .extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(data);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, mode and data of each entry, read back by the format's description.
    fn read(mut bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut entries = Vec::new();
        let mut at = 0_usize;
        loop {
            let field = |n: usize| {
                u32::from_str_radix(
                    std::str::from_utf8(&bytes[6 + 8 * n..14 + 8 * n]).unwrap(),
                    16,
                )
                .unwrap()
            };
            assert_eq!(&bytes[..6], b"070701");
            let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
            let name = String::from_utf8(bytes[110..110 + name_size - 1].to_vec()).unwrap();
            let data = (at + 110 + name_size).next_multiple_of(4) - at;
            let end = (at + data + size).next_multiple_of(4) - at;
            if name == "TRAILER!!!" {
                assert_eq!(bytes.len(), end);
                return entries;
            }
            entries.push((name, mode, bytes[data..data + size].to_vec()));
            bytes = &bytes[end..];
            at += end;
        }
    }

    #[test]
    fn entries_read_back_whatever_their_length() {
        let mut archive = Initramfs::default();
        archive.directory("bin");
        for n in 0..5_usize {
            archive.file(&"n".repeat(n + 1), &vec![b'x'; n]);
        }
        archive.program("init", b"#!");
        let entries = read(&archive.finish());
        assert_eq!(entries.len(), 7);
        assert_eq!(entries[0], ("bin".into(), DIRECTORY, vec![]));
        assert_eq!(entries[3], ("nnn".into(), FILE, b"xx".to_vec()));
        assert_eq!(entries[6], ("init".into(), PROGRAM, b"#!".to_vec()));
    }
}
