//! The same IO where a bio_vec cannot name slab memory: the submitter allocates memory that it
//! can name, does the IO to that, and copies what was read.

use std::hint::black_box;

use hugemem::{ByteArena, Mapping, Request};
use mm::block::{BIO_MAX_VECS, Bio, Op};
use mm::{BlockIo, KernelRules};
use physmem::{Extent, Kind, PAGE_SIZE, Pfn};

use crate::checksum::Digest;
use crate::fixture::{BASE, Fixture, IoRange, build, vecs_for};
use crate::job::{Extras, MemoryOf, Prepared, Then};
use crate::{Setup, SetupError};

/// The kind of a bounce buffer: kernel memory that is not a slab.
const KIND: Kind = Kind::PipeBuffer;
/// The most bytes of slabs: they are real memory here, since they are copied to.
const MAX_BYTES: u64 = 64 << 20;

/// A piece of slab memory, and the buffer that stands in for it.
struct Piece<U> {
    /// Bytes of the slab, by their place in the payload.
    slab: std::ops::Range<usize>,
    /// The frames that the buffer is allocated from.
    frames: Extent,
    /// Its bytes, by their place in the payload of buffers.
    at: usize,
    /// The buffer while the IO is under way.
    buffer: U,
}

struct Io<'d, D: BlockIo + 'd> {
    bio: Bio<D::BvPage<'d>>,
    pieces: Vec<Piece<D::Unit<'d>>>,
}

/// Slab memory, and the memory of the buffers.
struct Payload {
    slabs: ByteArena,
    buffers: ByteArena,
}

/// Where the machine code of the loop is.
pub(super) fn loops<D: BlockIo, V: KernelRules>() -> Vec<usize> {
    vec![entry::<D, V> as *const () as usize]
}

/// Sets the workload up for a design that refuses slab memory.
///
/// # Errors
/// [`SetupError`].
pub(super) fn enter<D: BlockIo, V: KernelRules>(
    setup: &Setup,
    then: Then<'_>,
) -> Result<(), SetupError> {
    let fixture = Fixture::shared(setup)?;
    let bytes = fixture.frames * PAGE_SIZE;
    if bytes > MAX_BYTES {
        let why = "footprint: a bounced slab is really copied; it takes l1 or l2";
        return Err(SetupError::Param(why.to_owned()));
    }
    // The pool lies after the slabs, and every IO takes its buffers from its start.
    let order = fixture.extents.iter().map(|(slab, _)| slab.order).max();
    let pool = fixture
        .frames
        .next_multiple_of(order.map_or(1, |order| order.pages()));
    let ends = fixture.ios.iter().map(|io| places(&fixture, io).1);
    let pool_bytes = ends.max().unwrap_or(0);
    let design: D = build(setup, pool + pool_bytes / PAGE_SIZE)?;
    fixture.alloc(&design);
    let mut ios: Vec<Io<'_, D>> = Vec::new();
    for io in &fixture.ios {
        for ranges in io.chunks(usize::from(BIO_MAX_VECS)) {
            ios.extend(prepare(&design, &fixture, BASE + pool, ranges)?);
        }
    }
    let mapped = |bytes: u64| -> Result<_, SetupError> {
        let request = Request::new(bytes.max(PAGE_SIZE) as usize, setup.backing);
        Ok(Mapping::new(request)?.into_bytes())
    };
    let mut payload = Payload {
        slabs: mapped(bytes)?,
        buffers: mapped(pool_bytes)?,
    };
    for (n, byte) in payload.buffers.as_mut_slice().iter_mut().enumerate() {
        *byte = read_byte(n);
    }
    let elements = fixture.ranges();
    let io_bytes = fixture.bytes();
    then(
        &mut Prepared::new(
            &design,
            (ios, payload),
            elements,
            |(ios, payload), iters| entry::<D, V>(&design, ios, payload, iters),
            |(ios, payload), raw| {
                let met = met(&design, ios, payload);
                payload.slabs.as_mut_slice().fill(0);
                // Accepted, walked and released.
                met ^ (3 * io_bytes) ^ raw
            },
        )
        .with(Extras {
            payload: |(_, payload)| {
                vec![MemoryOf {
                    what: "payload",
                    mapping: payload.slabs.mapping(),
                }]
            },
            ..Extras::default()
        }),
    );
    Ok(())
}

/// Where in the pool the buffers of an IO lie, and where they end. They are not neighbours: a
/// kernel's would be so only by chance, and adding would merge them.
fn places(fixture: &Fixture, io: &[IoRange]) -> (Vec<u64>, u64) {
    let mut end = 0_u64;
    let mut place = |range: &IoRange| {
        let bytes = fixture.extents[range.extent].0.order.bytes();
        let at = end.next_multiple_of(bytes);
        end = at + 2 * bytes;
        at
    };
    let places = io.iter().map(&mut place).collect();
    (places, end)
}

/// A bio, and the buffers that it will name.
fn prepare<'d, D: BlockIo>(
    design: &'d D,
    fixture: &Fixture,
    pool: Pfn,
    io: &[IoRange],
) -> Result<Option<Io<'d, D>>, SetupError> {
    let mut pieces = Vec::new();
    for (range, at) in io.iter().zip(places(fixture, io).0) {
        let (slab, _) = fixture.extents[range.extent];
        let frames = Extent::new(pool + at / PAGE_SIZE, slab.order);
        let start = (slab.head.phys() - BASE.phys()) as usize + range.offset as usize;
        pieces.push(Piece {
            slab: start..start + range.len as usize,
            frames,
            at: at as usize,
            // Only to fill the place: the loop allocates it again.
            buffer: design.alloc(frames, KIND),
        });
    }
    let Some(first) = pieces.first() else {
        return Ok(None);
    };
    let Some(filler) = design.bv_page(first.buffer) else {
        return Err(SetupError::Wrong(format!("{} takes no {KIND}", D::NAME)));
    };
    let mut bio = Bio::new(vecs_for(pieces.len() as u64), 0, Op::Read, filler);
    bio.no_page_ref = true;
    pieces.iter().for_each(|piece| design.free(piece.buffer));
    Ok(Some(Io { bio, pieces }))
}

/// The value that the device writes at a byte of the buffers.
fn read_byte(n: usize) -> u8 {
    (n as u8 ^ (n >> 8) as u8) | 1
}

/// The digest of the slab memory that holds what was read, as far as no buffer is left over.
fn met<'d, D: BlockIo>(design: &'d D, ios: &[Io<'d, D>], payload: &Payload) -> u64 {
    let mut digest = Digest::new();
    for piece in ios.iter().flat_map(|io| &io.pieces) {
        let slab = payload.slabs.as_slice().get(piece.slab.clone());
        let arrived = slab.is_some_and(|slab| {
            let mut bytes = slab.iter().enumerate();
            bytes.all(|(n, &byte)| byte == read_byte(piece.at + n))
        });
        let is_free = |n| design.lookup(Pfn(piece.frames.head.0 + n)).is_none();
        if arrived && (0..piece.frames.order.pages()).all(is_free) {
            digest.add_bytes(
                BASE.phys() + piece.slab.start as u64,
                piece.slab.len() as u64,
            );
        }
    }
    digest.finish()
}

#[inline(never)]
fn entry<'d, D: BlockIo, V: KernelRules>(
    design: &'d D,
    ios: &mut [Io<'d, D>],
    payload: &mut Payload,
    iters: u64,
) -> u64 {
    let mut result = 0;
    for _ in 0..iters {
        let mut sum = 0_u64;
        for Io { bio, pieces } in &mut *black_box(&mut *ios) {
            bio.reset(0);
            for piece in &mut *pieces {
                piece.buffer = design.alloc(piece.frames, KIND);
                let len = piece.slab.len() as u32;
                sum += u64::from(design.add_unit::<V>(bio, piece.buffer, len, 0));
            }
            design.for_each_segment(bio, |segment| {
                sum += u64::from(segment.len);
                black_box(segment.page);
            });
            sum += design.end_io(bio);
            for piece in &*pieces {
                copy(payload, piece);
                design.free(piece.buffer);
            }
        }
        result = black_box(sum);
    }
    result
}

/// Copies what was read to where it belongs (`bio_copy_data`).
#[inline]
fn copy<U>(payload: &mut Payload, piece: &Piece<U>) {
    let to = payload.slabs.as_mut_slice().get_mut(piece.slab.clone());
    let from = payload.buffers.as_slice().get(piece.at..);
    if let (Some(to), Some(from)) = (to, from) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}
