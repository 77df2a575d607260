//! A real kernel's answer, and the place where a model's differs from it.

use conformance::case::{Answer, Taken};
use serde::{Deserialize, Serialize};

/// A real kernel's answer to a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KernelAnswer {
    /// In the form in which models answer.
    pub answer: Answer,
    /// Whether this kernel has `bio_for_each_folio_all` (v5.16); without it the answer's
    /// `units` is 0 and says nothing.
    pub walks_chunks: bool,
}

impl KernelAnswer {
    /// The first field in which a model's answer differs, with both values; `None` where they
    /// agree exactly.
    pub fn differs(&self, model: &Answer) -> Option<String> {
        let (kernel, model) = match (&self.answer, model) {
            (Answer::Taken(kernel), Answer::Taken(model)) => (kernel, model),
            (Answer::Refused(_), Answer::Refused(model))
                if model.error == conformance::case::Refusal::Invalid =>
            {
                return None;
            }
            (kernel, model) => {
                return Some(format!(
                    "outcome: kernel {}, model {}",
                    outcome(kernel),
                    outcome(model)
                ));
            }
        };
        self.differing_field(kernel, model)
    }

    fn differing_field(&self, kernel: &Taken, model: &Taken) -> Option<String> {
        let field = |name: &str, kernel: String, model: String| {
            (kernel != model).then(|| format!("{name}: kernel {kernel}, model {model}"))
        };
        field(
            "accepted",
            format!("{:?}", kernel.accepted),
            format!("{:?}", model.accepted),
        )
        .or_else(|| {
            field(
                "vecs",
                format!("{:x?}", kernel.vecs),
                format!("{:x?}", model.vecs),
            )
        })
        .or_else(|| {
            field(
                "sp_segments",
                kernel.sp_segments.to_string(),
                model.sp_segments.to_string(),
            )
        })
        .or_else(|| {
            self.walks_chunks
                .then(|| {
                    field(
                        "chunks",
                        kernel.chunks.to_string(),
                        model.chunks.to_string(),
                    )
                })
                .flatten()
        })
        .or_else(|| {
            let cuts = |taken: &Taken| {
                format!(
                    "{:?}",
                    taken
                        .bios
                        .iter()
                        .map(|b| (b.sector, b.bytes, b.segments))
                        .collect::<Vec<_>>()
                )
            };
            field("bios (sector, bytes, segments)", cuts(kernel), cuts(model))
        })
        .or_else(|| {
            kernel
                .bios
                .iter()
                .zip(&model.bios)
                .enumerate()
                .find_map(|(i, (kernel, model))| {
                    field(
                        &format!("bios[{i}].sg"),
                        format!("{:x?}", kernel.sg),
                        format!("{:x?}", model.sg),
                    )
                })
        })
        .or_else(|| {
            field(
                "held",
                format!("{:x?}", kernel.held),
                format!("{:x?}", model.held),
            )
        })
    }
}

fn outcome(answer: &Answer) -> String {
    match answer {
        Answer::Taken(_) => "took it".into(),
        Answer::Refused(refused) => format!("refused it ({:?})", refused.error),
    }
}

#[cfg(test)]
mod tests {
    use conformance::case::{Refusal, Refused, Request};

    use super::*;

    fn taken() -> Taken {
        Taken {
            name: "t".into(),
            accepted: vec![4096],
            vecs: vec![(16, 0, 4096)],
            bios: vec![Request {
                sector: 0,
                bytes: 4096,
                segments: 1,
                sg: vec![(65536, 4096)],
            }],
            sp_segments: 1,
            chunks: 1,
            held: Some(vec![(16, 0)]),
        }
    }

    fn heard(walks_chunks: bool) -> KernelAnswer {
        KernelAnswer {
            answer: Answer::Taken(taken()),
            walks_chunks,
        }
    }

    #[test]
    fn each_field_that_differs_is_found_and_named() {
        assert_eq!(heard(true).differs(&Answer::Taken(taken())), None);
        type Change = fn(&mut Taken);
        let changes: [(&str, Change); 7] = [
            ("accepted", |t| t.accepted[0] = 0),
            ("vecs", |t| t.vecs[0].2 = 512),
            ("sp_segments", |t| t.sp_segments = 2),
            ("chunks", |t| t.chunks = 2),
            ("bios", |t| t.bios[0].segments = 2),
            ("bios", |t| t.bios.clear()),
            ("bios[0].sg", |t| t.bios[0].sg[0].1 = 512),
        ];
        for (field, change) in changes {
            let mut model = taken();
            change(&mut model);
            let told = heard(true).differs(&Answer::Taken(model)).unwrap();
            assert!(told.starts_with(field), "{told}");
        }
    }

    #[test]
    fn a_kernel_without_folios_says_nothing_about_chunks() {
        let model = Taken {
            chunks: 9,
            ..taken()
        };
        assert_eq!(heard(false).differs(&Answer::Taken(model)), None);
    }

    #[test]
    fn taking_and_refusing_differ() {
        let refused = |error| {
            Answer::Refused(Refused {
                name: "t".into(),
                error,
            })
        };
        assert!(heard(true).differs(&refused(Refusal::Invalid)).is_some());
        let kernel = KernelAnswer {
            answer: refused(Refusal::Invalid),
            walks_chunks: true,
        };
        assert_eq!(kernel.differs(&refused(Refusal::Invalid)), None);
        assert!(kernel.differs(&refused(Refusal::Bug)).is_some());
    }
}
