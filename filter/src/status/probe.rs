//! One probe: what is asked, and what its answer means.

use crate::service::Service;

/// What is asked to learn how a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Envoy's cluster.
    pub cluster: String,
    /// The service's own path.
    pub path: String,
}

impl Target {
    /// What is asked of a service; nothing where it does not say where.
    #[must_use]
    pub fn of(service: &Service) -> Option<Self> {
        let path = service.health_path.clone()?;
        Some(Self {
            cluster: service.cluster.clone(),
            path,
        })
    }

    /// The name under which its record is shared: whoever asks the same shares what was answered.
    #[must_use]
    pub fn key(&self) -> String {
        format!("gatehouse.probe {} {}", self.cluster, self.path)
    }

    /// The host that the request names: the cluster, as in Envoy's own health checks, with what no host may hold taken out.
    #[must_use]
    pub fn authority(&self) -> String {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() || letter == '.' {
                letter
            } else {
                '-'
            }
        };
        self.cluster.chars().map(plain).collect()
    }
}

/// Why a service counts as not well. Says nothing of what it said, but for the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// Envoy does not know the cluster.
    #[error("Envoy has no cluster of this name")]
    UnknownCluster,
    /// The call could not be made.
    #[error("the cluster has no host to ask")]
    NoHost,
    /// Envoy's own health checks or outlier detection have taken all hosts out.
    #[error("the cluster has no healthy host")]
    NoHealthyHost,
    /// Nobody listens there, or the connection broke off.
    #[error("no connection, or it broke off before an answer")]
    NoConnection,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// The call ended without an answer.
    #[error("no answer")]
    NoAnswer,
    /// It answered that it is not well, or something else than was asked for; redirects are not followed.
    #[error("answered with status {0}")]
    Status(u16),
}

/// Statuses begin here (RFC 9110, section 15), so smaller numbers are free for the rest.
const FIRST_STATUS: u16 = 100;

impl ProbeError {
    const KINDS: [Self; 6] = [
        Self::UnknownCluster,
        Self::NoHost,
        Self::NoHealthyHost,
        Self::NoConnection,
        Self::Timeout,
        Self::NoAnswer,
    ];

    /// Its name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownCluster => "unknown_cluster",
            Self::NoHost => "no_host",
            Self::NoHealthyHost => "no_healthy_host",
            Self::NoConnection => "no_connection",
            Self::Timeout => "timeout",
            Self::NoAnswer => "no_answer",
            Self::Status(_) => "status",
        }
    }

    /// As a number that is not zero.
    pub(super) fn number(self) -> u16 {
        match self {
            Self::Status(status) => status.max(FIRST_STATUS),
            kind => {
                let place = Self::KINDS.iter().position(|known| *known == kind);
                place
                    .and_then(|place| u16::try_from(place + 1).ok())
                    .unwrap_or_default()
            }
        }
    }

    pub(super) fn from_number(number: u16) -> Option<Self> {
        if number >= FIRST_STATUS {
            return Some(Self::Status(number));
        }
        let place = usize::from(number.checked_sub(1)?);
        Self::KINDS.get(place).copied()
    }
}

/// What Envoy itself says for a service that did not answer, and what that means. It says so with the same statuses that a
/// service may use, so its words are what tells them apart.
const ENVOY_SAYS: [(u16, &[u8], ProbeError); 3] = [
    (503, b"no healthy upstream", ProbeError::NoHealthyHost),
    (
        503,
        b"upstream connect error or disconnect/reset",
        ProbeError::NoConnection,
    ),
    (504, b"upstream request timeout", ProbeError::Timeout),
];

/// How a service is by its answer: well with 2xx, and with nothing else. `status` is `None` where there was no answer; of
/// the body, the beginning is enough.
pub fn read_answer(status: Option<u16>, body: &[u8]) -> Result<(), ProbeError> {
    let status = status.ok_or(ProbeError::NoAnswer)?;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let by_envoy = ENVOY_SAYS
        .iter()
        .find(|(known, words, _)| *known == status && body.starts_with(words));
    Err(by_envoy.map_or(ProbeError::Status(status), |(_, _, error)| *error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_service_is_well_by_its_status_alone() {
        for (status, body, expected) in [
            (Some(200), "", Ok(())),
            (Some(204), "not well", Ok(())),
            (Some(299), "", Ok(())),
            (Some(199), "", Err(ProbeError::Status(199))),
            (Some(302), "", Err(ProbeError::Status(302))),
            (Some(404), "", Err(ProbeError::Status(404))),
            (Some(503), r#"{"status":"down"}"#, Err(ProbeError::Status(503))),
            (Some(503), "no healthy upstream", Err(ProbeError::NoHealthyHost)),
            (
                Some(503),
                "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
                Err(ProbeError::NoConnection),
            ),
            (Some(504), "upstream request timeout", Err(ProbeError::Timeout)),
            (Some(500), "upstream request timeout", Err(ProbeError::Status(500))),
            (None, "", Err(ProbeError::NoAnswer)),
        ] {
            assert_eq!(read_answer(status, body.as_bytes()), expected, "{status:?} {body}");
        }
    }

    #[test]
    fn every_error_survives_as_a_number() {
        let all = ProbeError::KINDS
            .into_iter()
            .chain([100, 404, 999].map(ProbeError::Status));
        for error in all {
            assert_ne!(error.number(), 0);
            assert_eq!(ProbeError::from_number(error.number()), Some(error));
        }
        for number in [0, 7, 99] {
            assert_eq!(ProbeError::from_number(number), None);
        }
    }

    #[test]
    fn a_cluster_of_any_name_can_be_a_host() {
        for (cluster, expected) in [
            ("bank", "bank"),
            ("outbound|8080||bank.shop.svc", "outbound-8080--bank.shop.svc"),
        ] {
            let target = Target {
                cluster: cluster.to_owned(),
                path: "/health".to_owned(),
            };
            assert_eq!(target.authority(), expected);
        }
    }
}
