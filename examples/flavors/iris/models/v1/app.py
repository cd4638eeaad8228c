"""An app that tells irises apart: FastAPI's own checks, and a model that is loaded at its start."""

import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Header
from pydantic import BaseModel, Field

WEIGHTS: dict[str, list] = {}


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Before traffic, once."""
    text = Path(__file__).with_name("weights.json").read_text(encoding="utf-8")
    WEIGHTS.update(json.loads(text))
    yield


app = FastAPI(title="Irises", lifespan=lifespan)


class Flower(BaseModel):
    """Lengths and widths in centimetres."""

    sepal_length: float = Field(gt=0)
    sepal_width: float = Field(gt=0)
    petal_length: float = Field(gt=0)
    petal_width: float = Field(gt=0)


@app.get("/species")
async def species() -> list[str]:
    """What there is to tell apart."""
    return WEIGHTS["species"]


@app.post("/classify")
async def classify(
    flower: Flower, scores: bool = False, x_forwarded_user: str | None = Header(None)
) -> dict[str, object]:
    """The species of a flower. ``async``, because a plain ``def`` would run on a thread."""
    row = list(flower.model_dump().values())
    sums = [
        intercept + sum(c * x for c, x in zip(line, row, strict=True))
        for line, intercept in zip(WEIGHTS["coefficients"], WEIGHTS["intercepts"], strict=True)
    ]
    shares = [math.exp(value - max(sums)) for value in sums]
    shares = [share / sum(shares) for share in shares]
    named = dict(zip(WEIGHTS["species"], shares, strict=True))
    answer: dict[str, object] = {"species": max(named, key=lambda name: named[name])}
    if scores:
        answer["scores"] = named
    if x_forwarded_user:
        answer["asked_by"] = x_forwarded_user
    return answer
