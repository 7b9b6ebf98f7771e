from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "audit_entries" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "actor_id" UUID,
    "token_id" UUID,
    "action" VARCHAR(64) NOT NULL,
    "outcome" VARCHAR(32) NOT NULL,
    "subject_type" VARCHAR(64),
    "subject_id" UUID,
    "address" VARCHAR(64) NOT NULL,
    "request_id" VARCHAR(64),
    "data" JSONB
);
CREATE INDEX IF NOT EXISTS "idx_audit_entri_actor_i_2220a7" ON "audit_entries" ("actor_id", "id");
CREATE INDEX IF NOT EXISTS "idx_audit_entri_subject_339947" ON "audit_entries" ("subject_id", "id");
CREATE INDEX IF NOT EXISTS "idx_audit_entri_action_2eddd1" ON "audit_entries" ("action", "id");
CREATE INDEX IF NOT EXISTS "idx_audit_entri_created_a88510" ON "audit_entries" ("created_at");
COMMENT ON TABLE "audit_entries" IS 'Who asked for what, and what came of it; never changed. Ids without keys: an entry outlives what it names.';"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS "audit_entries";"""


MODELS_STATE = (
    "eJztXe1zmzga/1c0/nK9mTTTOm3a897cjJPQrXeTOOuXdm+bDqsY2dYGgxeJpN69/O8nCT"
    "DvGDB2MNWXQCQ9MvweIel51d+tGaToEa6Ou0s8Mu+R0eqAv1sGXCB2E688Ai24XAaqeAmF"
    "d7poDpdYpbwdEQ3vCLXghLKaKdQJYkUaIhMLLyk2+e+0ukC0BlPTAkvLnFlwQQAkAFMChh"
    "+7L9tvT38AdI4AQRMLUV6O9CnABBjm4xxZ6Jj/jmZO2A9hY1Zdl7aB/7QRe5cZYm0t1vGX"
    "r6wYGxr6hgj/90vLfDSQpWKNt7fQA/tVTYW09ZU3XN6rU4x0LQSm01SUq3S1FGXjce/ig2"
    "jJX+ROnZi6vTD81ssVnZvGurltY+2Y0/C6GWIPwLigBQA2bF13ueEVOe/CCqhlo/VLaH6B"
    "hqbQ1jmbWv+e2saEcwd4nF+YGtLJsYEe2av+x33KAIWqXvdH6lAZqWorxmD+NBEGuUUT0+"
    "CDAxuUo/n3k9Ovj40obfEfOP/YHbw4Of2nQMMkdGaJSoFc60kQQgodUsEZH3DGYA4P50oM"
    "+AtWQ/ECJYMfpowwQXNJj72bMszwCnxu+N9IDnaYj8/Bi1HvShmOulc3vPsFIX/qAsruSO"
    "E1bVG6ipS+cFhnspnAmSTWnYDPvdFHwP8Fv/WvlSiD1+1Gv7X4M0Gbmip7cRVqQbi8Yq+I"
    "NfVHgLjGeH8+h1Yy3732EY4zeHbFY48tO2BkawG/qToyZnTO/n396lUGZz91B+JDY60i7L"
    "p2q9pO3VMI36WFpvhbEYR9iiZifJoH4ugHEUD4NAqwWMzUOSTzIiCHqaoBevPqsTeYT9/k"
    "gPn0TSrMvCoMM5mYvI8YxD8N+9fJEPsU0dUBTyj4H9AxoXtYF+5srFNskGP+e8+xJHCEQq"
    "uBB/OLq+6vUQ6cX/bPotM87+Aswg70bYlZdYmFO0xZwcLtjvK6zDdNWpx1SKhqk1IbtCit"
    "5HSdOR0QjwryOUwpuVxnLgcF4rxSbpCmSlm3vmzdIM9y7cH0PlGcFVjFwf1gWgjPjJ/RSk"
    "DcYw8CjUmSGOMJkWOCDnGv/eQNHq/U/5wt+LhWuITGFHt7JjAj6myYu8Pz7oXSEiDfwcn9"
    "I7Q0NYQ2rzHbZqRk3TZetWgvoiXQgDOBDn8N/tBrLZpF8dRRiCWo2LzKo2wVm9ssn4YtHd"
    "sEDdeX1h/mnYvbPeMxv4qn/BrRfUkNl9RwSQ1XPRZd70ONqwYUw17EVoTQGPBo66yJafXH"
    "o5vxqAOc660xUH5SzkfDDnBvbo2bQf9D71LpAPeGt7npD0a8Cb9GbQTPo8mRqsg1uO23b3"
    "Ogy1qlwivqIqpISAvpyLz2TcT3VS5dL2+WjvCruLZ3alqLpJUm32zjU5eCfD+CW+t8+KkD"
    "2J9b4/qCq6Y6wLmyaaY7+GWssFnFvbk1uoNB/3MHiEs9JhmC/0Lq3Yom6TLP8Kxn0BRtZo"
    "guwh++0z7AT2LGH+Llv9rtk5N37Vcnp+/fvnn37u37V+9ZW/HE8ap3Gfw46/3Yux6FWcEL"
    "wgyw2Oo9MW0j4SvJwj9EVgr+muk1ngd9Moftt6dFVgGfosaTUm3MJA5uhewkARJpKKncUO"
    "IL7HmFbp9Cqtuy1W0MqSqUbT853Rwmoht1bf5wqpemzdYwVQxqrVqJuja/+ihb28Ybqoi1"
    "xCinT9vnuQkguUeacEF7nEN6BKChiTswYQ8CzCnA9AdgoAdkgckcGuwdjkFPI+ARsyFkU3"
    "CPVqTDqAD/5RVgRTp+QMTpA1PA34fEfd/2+9N5fOQYUqanimV/Wf2XFrHv/kATGimFYpoO"
    "lgQ0VNKnTmocpcaxJhrH4Ded98ML0mzx+dVsu73NFxZ18SqGZ5BG4vkUHZ/uSpJXCPQpGq"
    "gMrF4KZHuCiVlMmR0gaSDEJ+0cEJ+0UyHmVRFFhrtHEigVwDlKJ5UaOXw/Q/vRvDNwmErO"
    "wZE5WNNYZYKiKGMS9kkaOEVUP2wtxF6TJA/bdJTDVHJ62Iwzl4SKKDy99ltpO2uG8T7Umj"
    "FN3DOpjpgQCwlK9tHy6o4ylUaa02onHlpB3zasocXSpMiYrNR7tIq5aYVbO8o5T/xeK2Mo"
    "pDbxSqSaRapZpJqlHmoW6S+0W38h28JF4HWbNxHdXXkLYb1YSN2aQBqKK9lRRZmR5piS6p"
    "USJtqfV9DrXY17xyml/frNuzfvT07frH1R1iVZLigJ7iYH5m31are47tvZZ711LeON6FPv"
    "b0pnLzG8Uc5HvesfC84rAcoO8O+5p3P34r/c0Zldbo0emyouexe8ibhplVgOqndKfFa30X"
    "25qR+236gDsmo+IMtiYuV2vAp1U2MV04HzTMNQR5OE7ypDN+WTSPVU+c2UC+N6nBfa5SYS"
    "S26U54Z0Sq0lQ8p9HUm08uMozwsLPWCS6A6RHosQIGmMbFKZzLe0TC4WFxnTARI5lMsPZQ"
    "Yjw2ERR36EvqUM5QBJjfehlai3lV9H2YivtduX/esfveZRNkRUpEutpBEiTPlcRohdqlAt"
    "BLW+oa/cUXK4lgf36QO725ChsAjXw5QyWU99mBw3L0WNxzFWp5tCEkibMLvGrCL5jCJZNp"
    "GoyI6NpU0LZ3MMUzUP6h14qMpMVNX689lL3YRaQURDRNJDUub22ktur/iwrQTWdU8FB+uz"
    "ps3Ni2roSy0ayBmORiambU0SDaIu8YefB0iHKQEXgaDZoeioQUP5aaduizzMOMll0Q0/zn"
    "BXZFw7GFdF5xO1sGlhuvIqpdei9FqUXov1ECul1+JuvRbXk2BZn5c9o936ZayMlYuCn45L"
    "1QHO9da4uexeXwvnF+/u1hiM3SL3hlvtx0NO5VxvjQ+96+5l7zfRyL+/Nc671+fKpShe39"
    "4aw/H5uaJc8A7Wt6yPbu+SFzlXj5aXeHetEmNjB5m/2CQQGxbpmnG3eROUCfvWihOKlsWO"
    "ivAIpPWnvPUHEzXV9HZmmjqCRsq2LkQYYcEdo9zV1Lcu2S/6Z/3+ZQj9s150UI+vzhQ2vQ"
    "hWsEbYEfXitk40nSK2G3pAasHZJUYo55kS88wSTQpNM277/Xu0NGiaCcqWOf0lgiTSXyLB"
    "X2KWHAqe6TAxS4kFl2tmkaAPKy0XygfdhGlBH1ZqOpQpp9rZgD7e1ZDOgP2iPz67VMDNQD"
    "nvDXsuC9YCtagML5IDpXuZMsJLaD0ipNJiXmfVhmU+EpW7fSRsQLNT+/pkMrVv2WgfAeMS"
    "EoLK4O8TSg5sxQEL8aw3pXgQJJVc2IoLj2y/SVHCur6RCQFKyYOyPJhCrNtWIR/gAInc0W"
    "5xMOgDMqhK0J/Fhn6IrDEy2p5H/YTbFHTVzSBVzsqX3IXc99Z537uENkFbsT25B8n1OnNd"
    "R5DxLMUtLd2eGyFrgt53186qDmRoaU4SvIJTl7QIVWMWtcoUjy5ApU8ST6KXU1adpyxCoV"
    "VugQpTSi7XmctTbGAyL8XmCKnkc535LMPQvgcuyzA0GYZWE6hlGJoMmjpIUCsImsoT3cO2"
    "yHgKJ3Tb2J6u20+DAI/rqCsIgFJ4P00FSYaJ5YKJQnJfAUgj1k2TINp1JJ3z6aWE062/y+"
    "yYOtWfBzYfGtkFfEYE8I4fwQgBI48d0vi7HyL1O8D8QEZk8AMZ5+wxGFu1+HGQVXWaGN3n"
    "H/zJzWrReD4ZkidD8ioKIJIheduqRYtay/duJ2+cg8g9e9siorXXvoFRkNVL1QtECFu64/"
    "imx6MESBoB8b5DUeQZWPt3dfI3WHl3Sz6FVBxlK47+cJJibKs2cnNrHCaiG7VG/nAqqjPa"
    "tXjmyvwp8pmvEdggoAV0EHkkNPdYN2AztlmASUJA9Ab4I7B/IRVlrON/EDD85RLYBJEkoa"
    "x0PxvkMKhjSKQkJiWxHU1JUhLb2pPSJDg5Hi89uDRA0iSBrDI3L2fWiwGacc6wR9AISSCS"
    "VqT9Pk9ekfb79MQivC6++WfrVcHNaJhKbkjl7l7u7g9pd58wA1QBauAE5YYCG5746iY6CU"
    "tgiuDkWQk3iE1rm+RmoalvIEDYSqwBcwpM/g9lj9YBmBKgs+4JBV4I/BGABmvGRg+3P2EC"
    "NN6eS0IWmpisByEZkSVkjVkd4xRvB2eME3Eha4+/u8k4Rl29o3gcKZ1J6WxHM5+UzioIH0"
    "iyKqSbyWiySUHKZQIdMd8VQNNrL9FMOev2oNJ+3ijXFyWOuXXJOsC9ScrymS9P5/Dn3s2N"
    "aOPcRPcIucTpyrN0QkrRYlnkDO4AhYzxi34W4gztEjl5wnSNwXXPXg4OitSkMCE55Gb414"
    "QS/60S8uw/IZXEvmWYaadkJ4PutW9e2Myu0pzLUN7GS1wylPc74bPMl/Vsxz9zHWYR4H0K"
    "ibt03pPmvXoieqjOewM0ZXyej8x7ZLSSzFChBkeZtijLacrkSNY2txefSwUEFYBE2ISGH7"
    "sv229Pf3C88UQNK0b6lBuE2Ko2RxY6BmOCHEtRB0BA2DxpaNw5j3X5wEiIIJ7CBdZXSW5/"
    "+/vhBJOUNDtJs5M0O9Vycyy++sLJOMJU1Sj2n/Wo0l1HDZVPBFd5CrgcH9ozHBLbiI+JrY"
    "pl5tIAmdQk1Jm/zi6noGgVIpLSVbZ05YBVhYA1RISwN/qw7vAw4d0oaoWGV62krTAHksSt"
    "GI8y5C3itFXF++K8cVPCFY8NnJfYEJ52PP/EyhV1hGvdhIc9TS1zwSSfYzAQIo3G5SMIHu"
    "emjlK8+7buUkpJ9ZqTjqSUJBf+1IX/sLbvddkGHBybHY1WmQ89TCl38YfAZTY3k6RoyHS1"
    "R5yyeQ4VJ+0cuo+Tdqrug1c9RaXiomlIAyRSYsqWmGwik5DmEJMCI6p8DlLf1hPxdyuSED"
    "FqY2oI4LvNijhe6iYMi0GRqqNM6dEWjfIJjelQJEZbBdPbRpOCRwOuvghveFs8R2Bn+FXK"
    "elLWk7JePbaHU8z2QnBRyL82SNPAxA47cbJlv0j5uYgCqAJYR+matwV/nevUhdcZpy68jp"
    "+6QPBfSBWhDwn7l6x0nCG6JoXH7dlnfwktqpblQgKxZMV2rJiYtlEkFC5M1CT0K40TtVPS"
    "IeULFLX3nBupNVDOld6nErGia8IOWN/eGuf9q5tLZcQjP9e3t0b3rD8QZe7NraH8etMb8B"
    "L3JmplyrVMVB4fKtXc38kOVwa+fA98lqebydPNagK1PN3s0OwK8nSzfIaFak43c9O2bWtb"
    "yJ/frmazRapVISq2bYuQYy24YT01aEzuw/YiIEu3v3iIbrTBqGsu5omX4o3dHHiUrQszBO"
    "Yme2jXkQ58tjBlmxSgQ0KPAJxSZInAJqEkSQqD2rq/RBOQ+2bOJMDk3DtWIXPtSROPNPHU"
    "UzByP9EY91N1fz6B1Psl6f2kbeF5FdqIwlkRcdNr30BbZfWSZmh1z+3BFiSSsuYGH7a1C8"
    "/Wwua6p8PEdbMfW3Bc1SrcR8j5iQKCqwDIEg1Ykx04Z8ktuNyCyy14LbfgaAFxQt7OjC2L"
    "R9C4bAPtt3m2LKxVhndVbNOiYbLU4Uot6skWpWvgDnEn7lVLSMijyRbRopafGKFEPB/ilq"
    "mXzknu0e7R0eRKuTpTBgWXhtannvJZGXSAc701nF46wLneGt2Lq951B4hLVN35PD4kmKhs"
    "/4YfEnhzZjLYoZGyqwrSRfhyxwh3xRhv3t/ven3W71+GluqzXvQg5DHn8IvXAnrWCNOA7B"
    "+TpfLYmOASq5VEsHSXuHHRKwkHTu3PGHeQKP1h3m2LULOSIIZVok66im0RamoWkwQFWzWW"
    "3SZhtFN1TRdZeDJvJSls3KqjTJUN9BvVRmeTamhIVNkkGBjczUB9BcdKDDfpepkHZJHEE4"
    "LT5ZcASQMll51EPvGvqgDCbvMGorsTudCND4sjnJ51PECyVdrxuqGdAW5leccLiCLVr2dP"
    "/wdtjtkX"
)
