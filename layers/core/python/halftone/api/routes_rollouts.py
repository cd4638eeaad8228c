"""To come."""

from halftone.api.answers import router

routes = router("rollouts")
