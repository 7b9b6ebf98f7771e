from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "api_tokens" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "prefix" VARCHAR(16) NOT NULL,
    "token_hash" VARCHAR(64) NOT NULL UNIQUE,
    "scopes" JSONB NOT NULL,
    "expires_at" TIMESTAMPTZ,
    "last_used_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "owner_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_api_tokens_owner_i_86c763" ON "api_tokens" ("owner_id", "revoked_at");
COMMENT ON TABLE "api_tokens" IS 'A token for programs as its SHA-256; the secret itself is nowhere.';"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS "api_tokens";"""


MODELS_STATE = (
    "eJztXVtz2zYW/isYvWx2xvHYSuxk1Z2dkW2mUWtbri5Jt1GGhSXIQk2RKgHacbv+7wuA95"
    "tEUqRMMXixaPAciPoOCJwr8HfrDlL0CJ8Ouys8Mu6R3uqAv1s6XCJ2Eb95AFpwtQrc4i0U"
    "3mqCHK6wSjkdEYS3hJpwStmdOdQIYk0zRKYmXlFs8O9pdYGgBnPDBCvTuDPhkgBIAKYEDD"
    "92X7dPTn8AdIEAQVMTUd6OtDnABOjG4wKZ6JB/z8yYsi/C+l15XVo6/tNC7LfcIUZrso6/"
    "fGXNWJ+hb4jwf7+0jEcdmSqecXoTPbBvnamQtr5ywtW9OsdIm4XAtElFu0qfVqJtPO5dfB"
    "CU/IfcqlNDs5a6T716ogtD98gtC88OOQ+/d4fYAzApzAIA65amOdJwm+zfwhqoaSHvR8z8"
    "hhmaQ0vjYmr9e27pUy4d4Ep+acyQRg519Mh+6n+cpwxwqOp1f6QOlZGqtmIC5k8TEZDTND"
    "V0PjiwTjmafz/b/frYiNYW/4Lzj93Bqzen/xRoGITemeKmQK71LBghhTarkIwPOBMwh4dL"
    "JQb8BbtD8RIlgx/mjAhh5rAeuhdFhOE2+NLw35EM4jAeX0IWo96VMhx1r25490tC/tQElN"
    "2Rwu+0RetTpPWVLTqDzQT2JOF1Aj73Rh8B/xf81r9WogL26Ea/tfgzQYsaKvvhKpwF4XKb"
    "3SZG6o8A8RmT/fkCmslyd+kjEmfwVCVjVywVCLK1hN9UDel3dMH+PT46WiPZT92BeNEYVU"
    "Rc186ttn3vOYTvykRz/C0Pwj5HEzE+zQJx9IUIIHwaBVgsZuoCkkUekMNc5QC9efXYGcyn"
    "bzPAfPo2FWZ+KwwzmRq8jxjEPw3718kQ+xzR1QFPKfgf0DChO1gXbi2sUayTQ/59L7EkcI"
    "RCq4EL86ur7q9RCZxf9s+i0zzv4CwiDvRthdntAgt3mLOEhdsZ5XWZb5q0OGuQUNUihRS0"
    "KK+UdJ0lHTCPcso5zCmlXGcpBw3irFZukKdMW7e+Yt1gz3Lvwfw+0ZwVWMXB/WCYCN/pP6"
    "MnAXGPPQjUp0lmjGtEjgnaR1372R08bqv/Opvw0XO4hMYU+/XMYEbUVpi7w/PuhdISIN/C"
    "6f0jNGdqCG1+x2gbkRaPNn5r2V5GW6AO7wQ6/Gfwh/a8aCbFc9shluBic28erHexOWTZPG"
    "zp2CZ4uL60/jBuHdzumYz5p3jKrxHfl/RwSQ+X9HDVY9F1X9S4a0DRrWVsRQiNAZe3zp6Y"
    "Vn88uhmPOsD+nOgD5SflfDTsAOdiot8M+h96l0oHOBec5qY/GHES/hmNEbyMJ0e6Ij1w2y"
    "cnGdBlVKnwinsRVySkuXxkLn0T8T3K5OvlZOkIH8W9vXPDXCatNNlmG5+7EOS7Mdxa58NP"
    "HcD+TPTrC+6a6gD7k00z3cEvY4XNKs7FRO8OBv3PHSA+6jHJEPwXUm+faJIv8wzf9XSa4s"
    "0M8UXkwzXtPXwl7vhDvP5Xu/3mzbv20ZvT9ydv3707eX/0ntGKJ47ferdGHme9H3vXo7Ao"
    "eENYACZbvaeGpSe8JevwD7EVgr9mfo2XQZ8sYPvkNM8q4HPUeFKqTZjExi1XnCTAIgMlpQ"
    "dKfIM9q9Htc0h323p3G0OqDGfbT3Y3+4noRl+bP5xq5Wm7gBQSlOxoc+8drPWzzWyqStxs"
    "QQclnqHlyqBInz6p9+gp5msLU9sIu14b1saov7C1ClKLuC3SOye9c9I7Vw/vnHT6VOv0sU"
    "ycB16HvInoVuXywVq+vCiPQWr7pWv7HNs070KqayHMtDvXznFV4972LLSP3757+/7N6VvP"
    "oeC1rPMjJPgM9sxldlQtrrv22HiqaxGXss+9uymd/YjhjXI+6l3/mHNeCXB2gH/Nw1Xdi/"
    "/yaBX7mOg9NlVc9i44ibioh2f5RX3/u4o17rfz3wZZNR6QaTKzcjtZhbqpsW90z2U2w1BD"
    "04T3Kl3DCrBspWPVzHe9a2XKgdEb57m03ERmKY3i0pCRhVoKpNjbkcQrX47isjDRAyb8GW"
    "MySA8oB1gaY5uUZvOtTIObxXnGdIBFDuXiQ5nByHBYxpEfoW8pQznAUmM9tBT3tvLraD3i"
    "nnf7sn/9o0seFUPERbqaFQxChDlfKghRpQvVRHDW17UnZ5Tsb+TBefqAdhsKFOaRephTVl"
    "zVR8jx8FI0eBwTdXooJIG1CbNrLCqSLSiyLiYSNdmxvrJo7pL8MFfzoC4/2UyWE5aSnhDU"
    "BDQDznIiGmLaAtKaDV5ZoFnrAs34sC0FVq+nnIP1Rfc+yYpq6E3Nm40XTiklhmVOEwOiDv"
    "OHnwdIgzTZwRDIfByKjho0lJ8rTVvkuaJJKYtODumadEUmtb1JVbRfURMbJqZP7k2ZtSiz"
    "FmXWYj3MSpm1WG3WojcJFs152THarV/Gyli5yPnqOFwdYH9O9JvL7vW1SH5xryb6YOw0OR"
    "c8aj8eci77c6J/6F13L3u/CSL/eqKfd6/PlUvR7F1O9OH4/FxRLngH3iXro9u75E32p8vL"
    "W9yrVoGxUUH5JpsEYsMi3TPukDfBmbBrrzihaJVvvz+XQUZ/ikd/MFFTQ29nhqEhqKeodS"
    "HGiAhuGWdVU5/Xslv0z/r9yxD6Z73ooB5fnSlsehGiYETYNvXisU40nyOmDT0gNefsEmOU"
    "80yBeWaFprmmGYd+9xktDZpmgrZlxnyJIIvMl0jIl+B451owgzxyzdyi6IO7cxKTfz5oBk"
    "wr+ggwRcCfc67KBvRhVUN6DewX/fHZpQJuBsp5b9hzROAZ1OJmeJEcKN3LlBFewOsRYZUR"
    "8zq7Nkzjkag87SNBAV2/P4vPJvdnKVrtI2BcQUJQEfx9RimBrSRgoj+YZl9IBkFWKYWtpP"
    "DI9E2KEtb1jUIIcEoZFJXBHGLNMnPlAAdYpEa7xekOD0inKkF/5hv6IbbG2Gg7HvVTHlPQ"
    "2DTOACAFo3zJXUi9t8567wpaBG0l9uQepNTrLHUNQSazlLS09HhuhK0Jft+qk1VtyNDKmC"
    "ZkBacuaRGuxixqpTkeHYAKHweVxC+nrDpPWYRCs9gCFeaUUq6zlOdYx2RRSMwRVinnOstZ"
    "lqF9D1KWZWiyDK0mUMsyNFk0tZegVnqqnY926Pi4LWp7gqfVNQTwuI+6hAIohffTVJBkmV"
    "gmmCgk9yWANGLdNAmiqivp7FcvpZzOey/X19Sp/jywsbKu1QV8RgTw1rDYX8DYfwA668AE"
    "0wXU2XMegt/9EqnfASbgcYF0gClYsMdgYp0dtiKYltbphvM+eVhNHvMpS/JkSV49Tezc0f"
    "Kdx8kblyCSfrJqMuL7cJpqbazqJSKELd1xfNPrUQIsjYB416UofHWJ471mj1uHXqY6yfPZ"
    "6ug4kuez7e/5bL7Nn2Kf+R6BDQZawAeRxUJzjnUDFhObCZglBERvgD8C+xdS0cY6/gcBw1"
    "8ugUUQSTLKCvezwQ6DGoZEWmLSEqtoSpKW2NaZlAbByfV46cWlAZYmGWSlpXnZs14M0HRb"
    "y2NohCUQ2Vak/T7LviLt9+kbi/B7ceWfrVc5ldEwl1RIpXYvtft90u4TZoAyQA2coNxQYM"
    "MTX91MJxEJTDGc3CjhBrPJi0luNpr6OgKErcQzYMyBwf+h7NE6AFMCNNY9ocAtgT8AUGdk"
    "bPTw+BMmYMbpuSVkoqnBehCWEVlBRszuMUlxOnjHJBE3snb4vZuCY9TxO4rHkdaZtM4qmv"
    "mkdVZC+UBSVCE9TEaTQwrSLhPoiPkuB5ouvUQz5azbvdr280a5vihwzK3D1gHORdIun9n2"
    "6Rz+3Lu5ETT2RVRHyGROl75LJ6QULVd5zuAOcMgav+hrIc7QLrAnT5ivMbjuOMvBRpEaFC"
    "ZsDrkZfo9R4r/Vhjy735BKYt/SjbRTspNBd+mbVzZT1TbnspS38RaXLOX9TuQs98t6seOf"
    "uQ8zD/A+h8RdJu/J8F49Ed3X5L0BmjM5L0bGPdJbSWGoEMHB2liUaZMyO5LRZs7ic7iA4A"
    "KQiJjQ8GP3dfvk9Ac7G0/cYc1Im/OAEFvVFshEh2BMkB0p6gAICJsn9RlPzmNdPjAWIpjn"
    "cIm1p6S0v919cUJISoadZNhJhp1qqRyLtz73ZhxhrnIc+y96VGnVVUPFN4IrfQu4DC/aCx"
    "wS24iXia2KRebSAJv0JNRZvraWk9O0CjFJ62q9dWWDVYaBNUSEsF/0wetwP+HdaGqFhlet"
    "rK2wBJLMrZiM1thbxKZVxe/FWeumRCoeGzivsS4y7fj+E0+OqSNS66a87GluGktm+RyCgT"
    "BpZtw+guBxYWgoJbtv6y6llVSvOelAWkly4U9d+PdLfa+LGrB3YrY9WkVe9DCn1OL3Qcps"
    "biZJ1ZDpbo84Z/MSKt60M/g+3rRTfR/81nPUKs67DWmARVpM6y0mi8hNSDOYSYERVXwPUj"
    "/WE8l3y7MhYjTG1BDAq90VcbzSDBg2gyK3DtZaj5YgymY0pkORWG0V3N42uil4tODqi8iG"
    "t8RzBDTDr9LWk7aetPXqoR7OMdOF4DJXfm2Qp4EbO1SSZMu+kfJzEQVQObCO8jVPBT/OdO"
    "rC8ZpTF47jpy4Q/BdSRelDgv6ybjvOEF+TyuN2nLO/giZVi0ohgVmKYjtRTA1Lz1MKF2Zq"
    "Evql1olaKdshZSsUtXa8N1JroJwrvU8FakU9xg7wLif6ef/q5lIZ8cpP73Kid8/6A9HmXE"
    "x05deb3oC3OBfRKFOmZaL0+lDp5v5ONFxZ+PI9yFmebiZPN6sJ1PJ0s32LK8jTzbIFFso5"
    "3czZtm3b2EL2/e1qNlukRhWiZtu2CNnRghvWU4PG5C5iLwKy9PiLi+jGGIzqSTFLvRQndv"
    "bAo2xduENgYbCHdhLpwGcTU6akAA0SegDgnCJTFDYJJ0lSGdTW/SWGgJxfZk8CzM69ZTfk"
    "XnsyxCNDPPU0jJxXNCb9VN+fzyD9fkl+PxlbeFmHNqLwLo+56dI3MFZZvqUZWt0zZ7AFma"
    "StuSGHzUvh2drY9HraT1w357EFx1Wtyn2EnZ9oIDgOgHWmASOpIDlLquBSBZcqeC1VcLSE"
    "OGHfzjUqi8vQuN0G2idZVBZGtSa7Kqa0zDBZafBJzZvJFuVroIZYSXrVChLyaLBFNG/kJ8"
    "YoEc+GuGlohfckd3l3mGhypVydKYOcS0PrU0/5rAw6wP6c6HYvHWB/TvTuxVXvugPER9Td"
    "+TI5JJioTH/DDwmyOTMY7FBP0aqCfBG53DLGqgTjzvu7Xa/P+v3L0FJ91osehDzmEn51LK"
    "BnRJgGbP+YLZUlxgRXWC2lgqW7wo2rXkk4cGp3wbi9ROkP43ZbhJq1CWLYJWpvV7EtQk3d"
    "xSTBwVZOZLdJGFXqrukiE08XrSSHjXPrYK3LBvpEtfHZpAYaEl02CQEGRxmor+FYSuAm3S"
    "/zgEySeEJwuv0SYGmg5VJJ5RN/q3Ig7JA3EN1K7EKnPiyOcPqu4wGWrbYdrxvaa8Atbd/x"
    "HKZI+evZ8/8BbkL8zw=="
)
