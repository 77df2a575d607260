//! `struct bio`, `struct bio_vec` and `struct bvec_iter`.

use std::hint::cold_path;

/// Maximum vecs of one bio (`BIO_MAX_VECS`).
pub const BIO_MAX_VECS: u16 = 256;

/// A run of memory: what is pointed at, and bytes in it (`struct bio_vec`, 16 bytes
/// where `R` is one pointer).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Bvec<R> {
    /// The page or unit that the vec points at (`bv_page`).
    pub page: R,
    /// Bytes (`bv_len`).
    pub len: u32,
    /// Bytes from the start of `page` (`bv_offset`).
    pub offset: u32,
}

impl<R> Bvec<R> {
    /// The offset of the byte past the last: it may need more than the 32 bits of `bv_offset`.
    #[inline]
    pub fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.len)
    }
}

/// Where an iteration stands (`struct bvec_iter`); the table itself never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BvecIter {
    /// Device address in 512-byte sectors (`bi_sector`).
    pub sector: u64,
    /// Bytes left (`bi_size`).
    pub size: u32,
    /// The current vec (`bi_idx`).
    pub idx: u32,
    /// Bytes of the current vec that are done (`bi_bvec_done`).
    pub done: u32,
}

/// The operation (`bi_opf & REQ_OP_MASK`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Op {
    /// Device to memory.
    #[default]
    Read = 0,
    /// Memory to device.
    Write = 1,
    /// No payload to walk: the whole size advances at once.
    Discard = 3,
}

/// A bio under construction or being walked (`struct bio`).
#[derive(Clone, Debug)]
pub struct Bio<R> {
    /// Where the IO starts and how much is left.
    pub iter: BvecIter,
    /// Read or write.
    pub op: Op,
    /// Whether the table belongs to another bio (`BIO_CLONED`): nothing may be added.
    pub cloned: bool,
    /// Whether a refaulting page was added (`BIO_WORKINGSET`, up to v5.19).
    pub workingset: bool,
    /// Whether the bio holds no references on its pages, so that its end drops none
    /// (`BIO_NO_PAGE_REF`; from v6.3 on the reverse, `BIO_PAGE_PINNED`).
    pub no_page_ref: bool,
    /// Vecs in use (`bi_vcnt`); never above the table's length.
    vcnt: u16,
    /// The table (`bi_io_vec`); its length is `bi_max_vecs`.
    table: Box<[Bvec<R>]>,
}

impl<R: Copy> Bio<R> {
    /// An empty bio with room for `max_vecs` vecs; `filler` fills the unused ones.
    /// Mirrors `bio_alloc`.
    pub fn new(max_vecs: u16, sector: u64, op: Op, filler: R) -> Self {
        let empty = Bvec {
            page: filler,
            len: 0,
            offset: 0,
        };
        Self {
            iter: BvecIter {
                sector,
                ..BvecIter::default()
            },
            op,
            cloned: false,
            workingset: false,
            no_page_ref: false,
            vcnt: 0,
            table: vec![empty; usize::from(max_vecs)].into(),
        }
    }

    /// The vecs in use.
    #[inline]
    pub fn vecs(&self) -> &[Bvec<R>] {
        &self.table[..usize::from(self.vcnt).min(self.table.len())]
    }

    /// The vecs as only their submitter may look at them: a clone's table is another's, so
    /// the walks over the whole table warn of it
    /// (`WARN_ON_ONCE(bio_flagged(bio, BIO_CLONED))`), and here see nothing.
    #[inline]
    pub(super) fn submitters_vecs(&self) -> &[Bvec<R>] {
        if self.cloned { &[] } else { self.vecs() }
    }

    /// Maximum vecs this bio can hold (`bi_max_vecs`).
    #[inline]
    pub fn max_vecs(&self) -> u16 {
        self.table.len() as u16
    }

    /// The whole table, unused vecs included: iteration is bounded by `iter.size`.
    #[inline]
    pub(super) fn table(&self) -> &[Bvec<R>] {
        &self.table
    }

    /// Where a walk over the payload starts: a discard has a size but no vecs
    /// (`bio_no_advance_iter`).
    #[inline]
    pub(super) fn payload(&self) -> BvecIter {
        let size = if self.op == Op::Discard {
            0
        } else {
            self.iter.size
        };
        BvecIter { size, ..self.iter }
    }

    /// The last vec in use, if any.
    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<&mut Bvec<R>> {
        self.table.get_mut(usize::from(self.vcnt).wrapping_sub(1))
    }

    /// Whether there is a last vec.
    #[inline]
    pub(super) fn has_vecs(&self) -> bool {
        self.vcnt > 0
    }

    /// Whether no more vecs fit.
    #[inline]
    pub(super) fn is_table_full(&self) -> bool {
        usize::from(self.vcnt) >= self.table.len()
    }

    /// Whether no more vecs fit, or no more bytes (`bio_full`).
    #[inline]
    pub(super) fn is_full(&self, len: u32) -> bool {
        self.is_table_full() || self.iter.size > u32::MAX - len
    }

    /// Appends a vec without merging (`__bio_add_page`); false where the table is full, or
    /// another bio's: of both the kernel warns.
    #[inline]
    pub fn push(&mut self, vec: Bvec<R>) -> bool {
        self.add_vec(vec.page, vec.len, vec.offset)
    }

    /// [`Self::push`], its arguments in registers.
    #[inline(never)]
    pub(super) fn add_vec(&mut self, page: R, len: u32, offset: u32) -> bool {
        if self.cloned || self.is_full(len) {
            return false;
        }
        let Some(slot) = self.table.get_mut(usize::from(self.vcnt)) else {
            return false;
        };
        *slot = Bvec { page, len, offset };
        self.iter.size += len;
        self.vcnt += 1;
        true
    }

    /// Empties the bio for reuse (`bio_reset`); the table keeps its length.
    #[inline]
    pub fn reset(&mut self, sector: u64) {
        self.iter = BvecIter {
            sector,
            ..BvecIter::default()
        };
        self.workingset = false;
        self.vcnt = 0;
    }

    /// This bio as it is submitted: the table stays here, the part moves.
    #[inline]
    pub fn part(&self) -> BioClone<'_, R> {
        BioClone {
            table: self.vecs(),
            iter: self.iter,
            vcnt: self.vcnt,
            op: self.op,
            nomerge: false,
            gap_bit: 0,
        }
    }

    /// `bytes` of what is left of this bio, from byte `skip` of it, as a bio of its own over the same
    /// table (`bio_alloc_clone`, then `bio_trim`). A clone does not know how many vecs that has.
    #[inline]
    pub fn clone_part(&self, skip: u32, bytes: u32) -> BioClone<'_, R> {
        let mut clone = self.part();
        clone.vcnt = 0;
        clone.iter.advance(clone.table, skip);
        clone.iter.size = bytes.min(clone.iter.size);
        clone
    }

    /// Moves the start forward by `bytes` (`bio_advance_iter`).
    #[inline]
    pub fn advance(&mut self, bytes: u32) {
        self.iter.advance(&self.table, bytes);
    }
}

/// A bio over another's table: what is submitted, split, merged and mapped
/// (what `bio_alloc_clone` returns, and the original while it is under way).
#[derive(Clone, Copy, Debug)]
pub struct BioClone<'b, R> {
    /// The vecs of the bio that owns the table.
    pub(super) table: &'b [Bvec<R>],
    /// Where this part starts and how much of the table it covers.
    pub iter: BvecIter,
    /// Vecs of the owner (`bi_vcnt`); 0 in what `bio_split` and `bio_alloc_clone` return.
    pub(super) vcnt: u16,
    /// Read, write or discard.
    pub op: Op,
    /// Whether it may no longer be merged into a request (`REQ_NOMERGE`): set on the
    /// front part of a split.
    pub nomerge: bool,
    /// The lowest set bit of all offsets at which vecs meet, counted from 1, 0 for none
    /// (`bi_bvec_gap_bit`, 7.1): from it the driver knows whether an IOMMU may join them.
    pub gap_bit: u8,
}

impl<'b, R: Copy> BioClone<'b, R> {
    /// Cuts off the first `bytes` and keeps the rest (`bio_split`). The front shares the
    /// table and is not to be merged again.
    #[inline]
    pub(super) fn split_off(&mut self, bytes: u32) -> BioClone<'b, R> {
        let mut front = *self;
        front.iter.size = bytes;
        front.vcnt = 0;
        front.nomerge = true;
        self.iter.advance(self.table, bytes);
        front
    }
}

impl BvecIter {
    /// Moves forward by `bytes`, across vecs where needed (`bvec_iter_advance`).
    #[inline]
    pub fn advance<R>(&mut self, table: &[Bvec<R>], bytes: u32) {
        let bytes = bytes.min(self.size);
        self.sector += u64::from(bytes >> 9);
        self.size -= bytes;
        let mut done = self.done + bytes;
        while let Some(vec) = table.get(self.idx as usize) {
            if done < vec.len || done == 0 {
                break;
            }
            done -= vec.len;
            self.idx += 1;
        }
        self.done = done;
    }

    /// Moves forward by at most the rest of the current vec
    /// (`bvec_iter_advance_single`).
    #[inline]
    pub fn advance_single(&mut self, vec_len: u32, bytes: u32) {
        self.sector += u64::from(bytes >> 9);
        self.size -= bytes;
        self.done += bytes;
        if self.done == vec_len {
            // A branch, as in the kernel, not a selection that every step pays.
            cold_path();
            self.done = 0;
            self.idx += 1;
        }
    }
}
