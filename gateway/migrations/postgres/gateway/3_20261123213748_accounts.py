from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "password_resets" (
    "id" UUID NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "token_hash" VARCHAR(64) NOT NULL UNIQUE,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "used_at" TIMESTAMPTZ,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE
);
COMMENT ON TABLE "password_resets" IS 'A code for a new password, as its SHA-256. Used once.';
        ALTER TABLE "users" ADD "jobs_queued_max" INT;
        ALTER TABLE "users" ADD "storage_quota_bytes" BIGINT;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "users" DROP COLUMN "jobs_queued_max";
        ALTER TABLE "users" DROP COLUMN "storage_quota_bytes";
        DROP TABLE IF EXISTS "password_resets";"""


MODELS_STATE = (
    "eJztXVtz2zYW/isYvWx2xvEkcuxk1Z2dkW2mUWtbri5Jt3GGhSXIQkyRCgHaUbv+7wuA96"
    "tIipIpBi8WDeJA1HdA4Nzxd+sOUvQIV4fdJR4Z90hvdcDfLR0uELuI3zwALbhcBm7xFgpv"
    "NdEdLrFKeT8iOt4SasIJZXdmUCOINU0RmZh4SbHBv6fVBaI3mBkmWJrGnQkXBEACMCVg+K"
    "H7sn188hOgcwQImpiI8nakzQAmQDce58hEh/x7psaEfRHW76ob0tLxNwux33KHWF+TDfz5"
    "C2vG+hR9R4T/+7llPOrIVPGU9zfRA/vWqQpp6wvvuLxXZxhp0xCYdlfRrtLVUrSNx73z96"
    "In/yG36sTQrIXu916u6NzQve6WhaeHnIbfu0PsARgXpgGAdUvTHG64TfZvYQ3UtJD3I6Z+"
    "wxTNoKVxNrX+PbP0CecOcDm/MKZII4c6emQ/9T/OUwYoVPWqP1KHykhVWzEG86eJMMhpmh"
    "g6nxxYpxzNv5/scX1sRGuLf8HZh+7gxdHJPwUaBqF3prgpkGs9CUJIoU0qOOMDzhjM4eFc"
    "iQF/zu5QvEDJ4IcpI0yYOqSH7kUZZrgNPjf8dyQHO4zH5+DFqHepDEfdy2s+/IKQb5qAsj"
    "tS+J22aF1FWl/YrDPYSmAvEt4g4FNv9AHwf8Ef/SslymCv3+iPFn8maFFDZT9chdMgXG6z"
    "28S6+jNAfMZ4fzaHZjLf3f4RjjN4tsVjly1bYGRrAb+rGtLv6Jz9+/rVqwzOfuwOxIvGek"
    "XYdeXcatv3nkL4Lk00w9+LIOxTNBHjkzwQR1+IAMInUYDFZqbOIZkXATlMVQ3Q63ePncF8"
    "8iYHzCdvUmHmt8Iwk4nBx4hB/Muwf5UMsU8R3R3whIL/AQ0TuoN94dbCGsU6OeTf9xxbAk"
    "cotBu4ML+47P4e5cDZRf80uszzAU4j7EDfl5jdLrFxhykr2LidWV6X9aZJm7MGCVUtUkpA"
    "i9JKTteZ0wH1qCCfw5SSy3XmclAhzqvlBmmq1HXry9Y1+iy3HszuE9VZgVUc3PeGifCd/i"
    "taCYh77EGgPklSY1wlckzQPsraT+7kcVv919mEj57BJTSn2K9nCjOitsDcHZ51z5WWAPkW"
    "Tu4foTlVQ2jzO0bbiLR4feO3Fu1FtAXq8E6gw38Gf2jPimZSPLMNYgkmNvfmQbaJzemWz8"
    "KWjm2Chetz66tx6+B2z3jMP8VTfonYvqSFS1q4pIWrHpuu+6LGTQOKbi1iO0JoDri0dbbE"
    "tPrj0fV41AH2540+UH5RzkbDDnAubvTrQf9970LpAOeC97nuD0a8C/+M+giex5IjTZEeuO"
    "3j4xzosl6p8Ip7EVMkpIVsZG7/JuL7Kpetl3dLR/hV3No7M8xF0k6Tb7XxqUtBvhvFrXU2"
    "/NgB7M+NfnXOTVMdYH+yZaY7+G2ssFXFubjRu4NB/1MHiI96LDIE/4XU2xVNsmWe4rueTl"
    "OsmSG6CH+4pL2Hr8Qdf4iX/2q3j47etl8dnbw7fvP27fG7V+9YX/HE8VtvM/hx2vu5dzUK"
    "s4I3hBlgst17Ylh6wluShX+IrBT8NbNrPA/6ZA7bxydFdgGfosaLUm3cJDZuhfwkARLpKK"
    "ncUeIr7HmVbp9CmtuyzW0MqSqMbb/Yw+wnomttbf50qpelzZpiqujUXLUSbW3+7YNsaxvv"
    "qCLWE6OcMW2f5gaA5B5NRQja4xzSAwD1qbgCE/YgwJgBTH8COnpAJpjMoc5+wyHoTQl4xG"
    "wKWRTcoxXpMCrAv3kFWJOGHxCxx8AU8N9D4rFvu/3qPDFyDCnDNcWyv+z+5xaxbr+iCY20"
    "QrFMB1sCFioZUyctjtLiWBOLY/CdzvviBWk2eP1qJm5v8oZFQ7yK4RmkkXg+Reens5PkVQ"
    "J9igYaA6vXAplMMDGKGbMDJA2E+KidA+KjdirE/FbEkOHISAKlAjhH6aRRI0fsZ0gezbsC"
    "h6nkGhxZg6dTdjPBUJSxCPskDVwiqp+2JmI/kyRP23SUw1RyeViPM9eEihg83f4bWTtrhv"
    "EuzJoxS9wzmY6YEgsJSo7Rcu8dZBqNpnavrURoBWPb8BQtlgZF+mSl3qNVLEwr3Ns2zrnq"
    "t2eMoZBaxG2RZhZpZpFmlnqYWWS80HbjhSwTF4HX6d5EdLcVLYS1Yil1HoF0FFciUUWZkR"
    "aYkhqVEibaXVTQ623Nezsopf36zds3745O3nixKF5LVghKQrjJnkVbvdourrsO9vFE1zLR"
    "iD717pZ09iOG18rZqHf1c8F1JUDZAf41j3Tunv+XBzqzjxu9x5aKi9457yIuWiW2g+qDEp"
    "81bHRXYer7HTdqg6waD8g0mVq5Ga9Cw9TYxLTnPJtiqKFJwnuVYZvySaR5qrww5cDozfNC"
    "Um4iseRGeW7IoNRaMqTc25FEK1+O8rww0QMmieEQ6bkIAZLG6CaV6XxL0+BqcZE5HSCRU7"
    "n8VGYwMhwWceRH6HvKVA6Q1FgOrcS8rfw+ykbcs25f9K9+drtH2RAxkS6nJZ0QYcrnckJs"
    "04RqIjjt69rKmSX763lwnj4g3YYchUW4HqaUxXrqw+S4eynqPI6xOt0VkkDahNU15hXJ5x"
    "TJ8olEVXasLy1auJpjmKp5UG8hQlVWoqo2ns9aagacFkQ0RCQjJGVtr53U9opP20pg9UYq"
    "OFmftWxuXlRDb2rRRM5wNjIxLHOS6BB1iN//OkAaTEm4CCTNDsVADZrKT1sNW+Rpxkkhi0"
    "76cUa4IuPa3oQq2q+oiQ0T05V7U0YtyqhFGbVYD7VSRi1uN2rRWwTLxrzsGO3Wb2NlrJwX"
    "fHUcqg6wP2/064vu1ZUIfnGvbvTB2GlyLrjXfjzkVPbnjf6+d9W96P0hOvnXN/pZ9+pMuR"
    "DN3uWNPhyfnSnKOR/Au2RjdHsXvMn+dGl5i3vVKjE3tlD5iy0CsWmRbhl3ujfBmLBrqzih"
    "aFnsqAiXQHp/ynt/MFFTXW+nhqEhqKeIdSHCCAtuGeW2lj6vZbfon/b7FyH0T3vRST2+PF"
    "XY8iJYwTphW9WL+zrRbIaYNPSA1IKrS4xQrjMl1pklmhRaZpz+u49oadAyE9Qtc8ZLBElk"
    "vERCvMRdcip4ZsDEXUouuNwziyR9mGm1UN5rBkxL+jBTy6HMONXWJvThtqZ0Buzn/fHphQ"
    "KuB8pZb9hzWOAp1OJmeJMcKN2LlBlewuoRIZUe8zqbNkzjkag87CNBAM0u7euTydK+ZbN9"
    "BIxLSAgqg79PKDmwEQdMxKvelOJBkFRyYSMuPDJ5k6KEfX0tEwKUkgdleTCDWLPMQjHAAR"
    "Ip0W5wMOgD0qlK0LdiUz9E1hgdbcezfsJ9CprqVJAq5+VLHkLKvXWWe5fQImgjtiePILle"
    "Z65rCDKepYSlpftzI2RNsPtuO1jVhgwtjUlCVHDqlhahasymVpnh0QGo9EniSfRyyarzkk"
    "UoNMttUGFKyeU6c3mGdUzmpdgcIZV8rjOfZRraj8BlmYYm09BqArVMQ5NJU3sJagVJU3my"
    "e5iIjGdwQjfN7ek64zQI8LiNuoIEKIWP01SQZJpYLpgoJPcVgDRiwzQJom1n0tmvXko6nf"
    "deZufUqf46sP7QyC7gKyKAt/wIRggYeeyQxj/9FKk/AeYHMiKdH8g4Z4/B2DqNHwdZ1aCJ"
    "2X3+wZ/crRbN55MpeTIlr6IEIpmSt6lZtKi3fOd+8sYFiNyzX1tEtXb7NzALsnqteoEIYV"
    "t3HN/0fJQASSMg3nUqijwDa/ehTr6AlVda8imk4SjbcPTVLoqxqdnIqa2xn4iutRr506mo"
    "zWjb6pmj86foZ75FYI2CFrBB5NHQnGPdgMXYZgKmCQExGuCPwP6FVLSxgf9BwPC3C2ARRJ"
    "KUstLjrNHDoIYhkZqY1MS2tCRJTWzjSEqD4OR8vPTk0gBJkxSyysK87FUvBmjGOcMuQSM0"
    "gUhZkfa7PHVF2u/SC4vwe3Hhn+1XBYXRMJUUSKV0L6X7fZLuE1aAKkANnKDcUGDDC1/dVC"
    "fhCUxRnFwv4Rq1yfNJrlea+joChO3EU2DMgMH/oezROgBTAjQ2PKHATYE/AFBn3djs4f4n"
    "TMCU9+eakIkmBhtBaEZkCVlndo9xiveDd4wTcSVrh9+7zjlGHbujeBypnUntbEsrn9TOKk"
    "gfSPIqpLvJaLJLQeplAh2x3hVA0+0v0Uw563avyn5eK1fnJY65dcg6wLlIqvKZr07n8Nfe"
    "9bXoY19EZYRc6nTlVTohpWixLHIGd4BC5vhFXwtxhnaJmjxhusbguuMoBxtFalCYUBxyPf"
    "weocR/o4I8uy9IJbFv6UbaKdnJoLv9m5c2s60y5zKVt/Eal0zl/UH4LOtlPdvxz9yGWQR4"
    "n0LiLoP3pHuvnojua/DeNSTkka0vA8SdgEl+qHCPg0xv1NLpy7QZ1jl3IN+EyeJgZpgAAh"
    "09AneUAwCJ8BANP3Rfto9PDsGYINs1lBTGV3KUBH+R9AlJn5D0CdVScqXGPdILV8oIU1Vj"
    "dX/Wc0S3ndJTvkpb5fXZarrhN+JtskipxTRAJvX8mvO3aLmbAInUe7L1HovIYjd5zrImpW"
    "vdbFX1GaAZY/V8xGWDVpLmE+pwkKn4mHZXVQgaufUehwoIqoia8pOdiCTusGakzXgsHHvR"
    "mY6CAjpMh6k7BDEmTHleEhvygZEQQTyDC6ytklSl3X2x1K7qtZwdSO1KygtSu5LaVf4XbZ"
    "fIN+llkspVs/lrSzkF1asQkVSwshUsG6wqVKwhIoT9ovfegPsJ71pdKzS9aqVthTmQpG7F"
    "eJShbxG7ryp+L85bMkJkIbGJ8xLrIsmIl95bOaqOyCqa8IoPM9NYMM3nEAyESjPl+hEEj3"
    "NDS3A7VTOk1JLqtSYdSC1JbvypG/9+ie91EQP2js22RavMix6mlFL8PnCZrc0kqRBMutkj"
    "Ttm8WPKjdg7bx1E71fbBbz1FtWLpktpMOpEuqWd0SUWMpZvWgo/6mBoC+HYLwo+XmgHDal"
    "Dk1kGm9miJTvmUxnQoEgtNBE/2iJ6HFK018VkkAlviOQKS4Rep60ldT+p69RAPZ5jJQnBR"
    "KLUwSNPAmnZbyS9k30j5kfACqAJYR+maJ4K/znXg3OuMA+dexw+cI/gvpIqs7wT5Jeskgh"
    "BdkyqD7DhdeQlNqpblQgKxZMVmrJgYll6kCkiYqEnoV1oix0qpBJuvRo6147KwrYFypvQ+"
    "liiT4xF2gHd5o5/1L68vlBEveuNd3ujd0/5AtDkXN7ry+3VvwFuci6iXKdc2UXlpHGnm/k"
    "EkXJnz/yPwWR7sLA92rgnU8mDnffMryIOd8zkWqjnY2alYvalvIX9p75qtFqlehajatilC"
    "trfgmo3UoDm5C9+LgCzd/+IiutYHo3pczJMvxTs75b8p2xfuEJgb7KGdQDrwycSUCSlAg4"
    "QeADijyBSJTcJIkpQGtfF4iS4g55fZiwDTc2/ZDVlmXLp4pIunnoqR84rGuJ9q+/MJpN0v"
    "ye4nfQvPa9BGFN4VUTfd/g30VVavaYZ299wRbEEiqWuuiWHzQng2Vja9kfYT1/VxbMF5Va"
    "t0H6HnJyoIjgEgSzVgXbYQnCVFcCmCSxG8liI4WkCccGRBhsjiEjSu2kD7OI/IwnplRFfF"
    "hJYpJksNrtSikWxRugZKiFsJr/LqoBb1/MQIJeL5EDcNrfRxTC7tDgNNLpXLU2VQcGtofe"
    "wpn5RBB9ifN7o9SgfYnzd69/yyd9UB4iNq7nyeGBJMVCa/4YcE3pwaDHaop0hVQboIX24Z"
    "4bYY4677u92vT/v9i9BWfdqLKPlXY87hF68F9KwTpim6v2PIVr9ZBpO2ylhhkgcoZY6pmV"
    "vpeawxX41bwtBEFpNT2dtWwM6YQNkgNmxkb4yZD/K4VeESq5UkbXWXuHEJWwnHS+/O/7yX"
    "KPHXc0OEmnXkQSSvuoIZFDt7oIlIObVsNsWqqSWOEqzv1YR9NAmjrdpyu8jEk3kryZrr3D"
    "rItOdCv1NtDLqpQleiPTdBznKEqvpalSrx6qYbbR+QSXCxghkBkgaaNbaSFsnfqgIIO90b"
    "iO5WjEZO8mgc4fTT2AIkGx3HVje0M8Ct7Dy2Akpb9fvZ0/8BIRtZKg=="
)
