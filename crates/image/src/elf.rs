//! Whether a program runs in an image that holds nothing else.
//! <https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html>

use std::fmt;

use crate::platform::Platform;

const MAGIC: &[u8] = b"\x7fELF";
const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
const TYPE_EXECUTABLE: u16 = 2;
/// A shared object, and so is a program that can lie anywhere in memory.
const TYPE_SHARED: u16 = 3;
const MACHINE_X86_64: u16 = 62;
const MACHINE_AARCH64: u16 = 183;
/// The program header that names the dynamic linker.
const PROGRAM_INTERPRETER: u32 = 3;

/// Why a file cannot be an image's program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitProgram {
    /// A script, an archive, a program for another system.
    #[error("it is not a Linux program (ELF, 64 bit)")]
    NotLinux,
    /// It ends before its own headers do.
    #[error("it is cut short")]
    CutShort,
    /// An object file, a library.
    #[error("it cannot be started: it is a library or an object file")]
    NotExecutable,
    /// It is for another processor than the image.
    #[error("it is for {found}, and the image is for {platform}")]
    WrongMachine {
        /// What it is for.
        found: Machine,
        /// What the image is for.
        platform: Platform,
    },
    /// It needs a dynamic linker and libraries, which an image does not have.
    #[error("it is not linked statically: it asks for {interpreter}, which the image does not have")]
    Dynamic {
        /// The dynamic linker.
        interpreter: String,
    },
}

/// A processor, by ELF's number of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine(u16);

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            MACHINE_X86_64 => f.write_str("amd64"),
            MACHINE_AARCH64 => f.write_str("arm64"),
            other => write!(f, "another processor (ELF machine {other})"),
        }
    }
}

/// Checks that a program can be started on a platform with nothing beside it.
pub(crate) fn check(program: &[u8], platform: Platform) -> Result<(), UnfitProgram> {
    let header = Header::read(program)?;
    if header.machine != machine(platform) {
        let found = Machine(header.machine);
        return Err(UnfitProgram::WrongMachine { found, platform });
    }
    match header.interpreter(program)? {
        Some(interpreter) => Err(UnfitProgram::Dynamic { interpreter }),
        // A library has no entry; a program without one could not be started.
        None if header.entry == 0 => Err(UnfitProgram::NotExecutable),
        None => Ok(()),
    }
}

fn machine(platform: Platform) -> u16 {
    match platform {
        Platform::LinuxAmd64 => MACHINE_X86_64,
        Platform::LinuxArm64 => MACHINE_AARCH64,
    }
}

/// What of a file's header matters here.
struct Header {
    machine: u16,
    entry: u64,
    program_headers: u64,
    program_header_size: u16,
    program_header_count: u16,
}

impl Header {
    fn read(program: &[u8]) -> Result<Self, UnfitProgram> {
        if !program.starts_with(MAGIC) || program.get(4..6) != Some(&[CLASS_64, LITTLE_ENDIAN]) {
            return Err(UnfitProgram::NotLinux);
        }
        if !matches!(u16_at(program, 16)?, TYPE_EXECUTABLE | TYPE_SHARED) {
            return Err(UnfitProgram::NotExecutable);
        }
        Ok(Self {
            machine: u16_at(program, 18)?,
            entry: u64_at(program, 24)?,
            program_headers: u64_at(program, 32)?,
            program_header_size: u16_at(program, 54)?,
            program_header_count: u16_at(program, 56)?,
        })
    }

    fn interpreter(&self, program: &[u8]) -> Result<Option<String>, UnfitProgram> {
        for number in 0..self.program_header_count {
            let at = u64::from(number) * u64::from(self.program_header_size);
            let at = self.program_headers.checked_add(at).ok_or(UnfitProgram::CutShort)?;
            if u32_at(program, at)? == PROGRAM_INTERPRETER {
                return text_of(program, at).map(Some);
            }
        }
        Ok(None)
    }
}

/// The text that a program header leads to.
fn text_of(program: &[u8], header: u64) -> Result<String, UnfitProgram> {
    let (from, size) = (u64_at(program, header + 8)?, u64_at(program, header + 32)?);
    let bytes = part(program, from, size)?;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}

fn u16_at(program: &[u8], at: u64) -> Result<u16, UnfitProgram> {
    Ok(u16::from_le_bytes(array(program, at)?))
}

fn u32_at(program: &[u8], at: u64) -> Result<u32, UnfitProgram> {
    Ok(u32::from_le_bytes(array(program, at)?))
}

fn u64_at(program: &[u8], at: u64) -> Result<u64, UnfitProgram> {
    Ok(u64::from_le_bytes(array(program, at)?))
}

fn array<const SIZE: usize>(program: &[u8], at: u64) -> Result<[u8; SIZE], UnfitProgram> {
    let bytes = part(program, at, SIZE as u64)?;
    Ok(bytes.try_into().expect("the part has this size"))
}

fn part(program: &[u8], from: u64, size: u64) -> Result<&[u8], UnfitProgram> {
    let to = from.checked_add(size).ok_or(UnfitProgram::CutShort)?;
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    let (from, to) = range.ok_or(UnfitProgram::CutShort)?;
    program.get(from..to).ok_or(UnfitProgram::CutShort)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    const DYNAMIC_LINKER: &str = "/lib64/ld-linux-x86-64.so.2";

    /// A program that says of itself what is asked here, and nothing else.
    pub(crate) fn program(kind: u16, machine: u16, interpreter: Option<&str>) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(16, &kind.to_le_bytes());
        put(18, &machine.to_le_bytes());
        put(24, &0x40_1000_u64.to_le_bytes());
        put(32, &64_u64.to_le_bytes());
        put(54, &56_u16.to_le_bytes());
        put(56, &1_u16.to_le_bytes());
        if let Some(interpreter) = interpreter {
            put(64, &PROGRAM_INTERPRETER.to_le_bytes());
            put(64 + 8, &120_u64.to_le_bytes());
            put(64 + 32, &(interpreter.len() as u64 + 1).to_le_bytes());
            bytes.extend(interpreter.bytes().chain([0]));
        }
        bytes
    }

    pub(crate) fn static_program() -> Vec<u8> {
        program(TYPE_EXECUTABLE, MACHINE_X86_64, None)
    }

    fn verdict(program: &[u8]) -> String {
        match check(program, Platform::LinuxAmd64) {
            Ok(()) => "fit".to_owned(),
            Err(unfit) => unfit.to_string(),
        }
    }

    #[test]
    fn only_a_static_program_for_the_platform_is_fit() {
        let mut library = program(TYPE_SHARED, MACHINE_X86_64, None);
        library[24..32].fill(0);
        let mut cut = static_program();
        cut.truncate(100);
        for (program, expected) in [
            (static_program(), "fit"),
            (program(TYPE_SHARED, MACHINE_X86_64, None), "fit"),
            (
                program(TYPE_EXECUTABLE, MACHINE_AARCH64, None),
                "it is for arm64, and the image is for linux/amd64",
            ),
            (
                program(TYPE_EXECUTABLE, 243, None),
                "it is for another processor (ELF machine 243), and the image is for linux/amd64",
            ),
            (
                program(TYPE_SHARED, MACHINE_X86_64, Some(DYNAMIC_LINKER)),
                "it is not linked statically: it asks for /lib64/ld-linux-x86-64.so.2, which the image does not have",
            ),
            (
                program(1, MACHINE_X86_64, None),
                "it cannot be started: it is a library or an object file",
            ),
            (library, "it cannot be started: it is a library or an object file"),
            (cut[..64].to_vec(), "it is cut short"),
            (cut[..20].to_vec(), "it is cut short"),
            (b"#!/bin/sh\n".to_vec(), "it is not a Linux program (ELF, 64 bit)"),
            (Vec::new(), "it is not a Linux program (ELF, 64 bit)"),
        ] {
            assert_eq!(verdict(&program), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            changes in prop::collection::vec((6_usize..140, any::<u8>()), 0..20),
        ) {
            let _ = verdict(&bytes);
            let mut program = program(TYPE_SHARED, MACHINE_X86_64, Some(DYNAMIC_LINKER));
            for (at, byte) in changes {
                program[at] = byte;
            }
            let _ = verdict(&program);
        }
    }
}
