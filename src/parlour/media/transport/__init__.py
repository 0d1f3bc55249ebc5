"""Media connections: ICE-lite, DTLS-SRTP and RTP on one port, described by offers and answers."""

from parlour.media.transport.answer import VIDEO_CODECS, MediaFacts
from parlour.media.transport.endpoint import Endpoint, EndpointStatistics
from parlour.media.transport.leg import Leg
from parlour.media.transport.rhythm import Beat
from parlour.media.transport.sdp import BadOffer
from parlour.media.transport.sink import Kind, LegSink, LegStatistics

__all__ = [
    "VIDEO_CODECS",
    "BadOffer",
    "Beat",
    "Endpoint",
    "EndpointStatistics",
    "Kind",
    "Leg",
    "LegSink",
    "LegStatistics",
    "MediaFacts",
]
