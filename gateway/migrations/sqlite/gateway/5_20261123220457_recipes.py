from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE IF NOT EXISTS "recipes" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "description" TEXT,
    "version" INT NOT NULL,
    "deleted_at" TIMESTAMP,
    "idempotency_key" VARCHAR(200),
    "input_hash" VARCHAR(64),
    "owner_id" CHAR(36) NOT NULL REFERENCES "users" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_recipes_owner_i_9787a2" UNIQUE ("owner_id", "idempotency_key")
);
CREATE INDEX IF NOT EXISTS "idx_recipes_owner_i_43956e" ON "recipes" ("owner_id", "deleted_at", "id");
        CREATE TABLE IF NOT EXISTS "recipe_versions" (
    "id" CHAR(36) NOT NULL PRIMARY KEY,
    "created_at" TIMESTAMP NOT NULL,
    "version" INT NOT NULL,
    "sql" TEXT NOT NULL,
    "spec" JSON NOT NULL,
    "recipe_id" CHAR(36) NOT NULL REFERENCES "recipes" ("id") ON DELETE CASCADE,
    CONSTRAINT "uid_recipe_vers_recipe__4dc2bd" UNIQUE ("recipe_id", "version")
) /* Never changed. */;"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS "recipes";
        DROP TABLE IF EXISTS "recipe_versions";"""


MODELS_STATE = (
    "eJztXe1zmzga/1c0/nK9mTTTOm3a897cjJO4W++mcdZx2r1tdljFlmM2GFwESbN7/d9PEu"
    "8gMGCwMX2+xETokfHvEdLzrr87d9gij/jpsL9SJ8Y90Ts99HdHx0vCLpI3D1AHr1ahW7zF"
    "wrea6I5XqmLxflR0vKWWiacWuzPHGiWsaUbo1FRXlmrw7+n0keiN5oaJVqZxZ+IlRZgi1a"
    "Lo6n3/eff18Q/IWhBEydQkFm8n2hypFOnG44KY5JB/z8yYsi9S9bvqhrR19YtN2G+5I6yv"
    "yQb+/DtrVvUZ+Uoo//dzx3jUiamoM97fJA/sW2cKtjq/846re2WuEm0WAdPpKtoV62kl2q"
    "6vh2fvRE/+Q26VqaHZSz3ovXqyFobud7dtdXbIafi9O8IegHFhFgJYtzXN5YbX5PwW1mCZ"
    "NvF/xCxomJE5tjXOps6/57Y+5dxBHueXxoxo9FAnj+yn/sd9yhCFolyMJsrVYKIonQSD+d"
    "PEGOQ2TQ2dTw5Vtziaf39zxg2wEa0d/gWn7/vjZ0fH/xRoGNS6M8VNgVznmyDEFnZIBWcC"
    "wBmDOTycKwngz9gdS10SOfhRyhgTZi7poXdRhhleQ8CN4B3JwQ7jcRe8mAw/DK4m/Q+XfP"
    "glpV80AWV/MuB3uqL1Kdb6zGGdwVYCZ5HwB0GfhpP3iP+LfhtdDOIM9vtNfuvwZ8K2ZSjs"
    "hyt4FobLa/aaWNdgBojPBO9PF9iU893rH+M4g6cuHntsqYGRnSX+qmhEv7MW7N+XL15kcP"
    "ZjfyxeNNYrxq4L91bXufctgu/KJHP1axGEA4o2YnycB+L4CxFC+DgOsNjMlAWmiyIgR6mq"
    "AXr97rE1mI9f5YD5+FUqzPxWFGY6NfgYCYh/uhpdyCEOKOK7gzq10P+QplJrC/vCra1qlq"
    "rTQ/59u9gSOEKR3cCD+dmH/q9xDpyej07iyzwf4CTGDvJ1pbLbJTbuKGUFG7c7y5uy3rRp"
    "c9YwtRSblhLQ4rTA6SZzOqQeFeRzlBK43GQuhxXivFpumKZKXbe5bF2jz3Lrwfxeqs4KrJ"
    "LgvjNMot7pP5MnAfGQPQjWpzI1xlMirynZR1n7mzd5vNbgdTbxo29wicwp9uuZwkwsR2Du"
    "X532zwYdAfItnt4/YnOmRNDmd4yuEWvx+yZvLbvLeAvW8Z1Ah/8M/tC+Fc201LljEJOY2L"
    "ybB9kmNrdbPgtbOrYSC9fnzp/GrYvbPeMx/xRP+XvM9gUWLrBwgYWrGZuu96ImTQMD3V4m"
    "doTIHPBom2yJ6YyuJ5fXkx5yPm/08eCnwenkqofcixv9cjx6Nzwf9JB7wftcjsYT3oV/xn"
    "0Eu7HkgCnSB7f7+nUOdFmvVHjFvZgpEluFbGRe/zbi+yKXrZd3S0f4RdLaOzfMpWynybfa"
    "BNSlIN+O4tY5vfrYQ+zPjX5xxk1TPeR8smWmP/7lesBWFffiRu+Px6NPPSQ+mrHIUPUvot"
    "w+WTJb5ol6N9StFGtmhC7GHy5p7+Ercccf4vm/ut2jozfdF0fHb1+/evPm9dsXb1lf8cTJ"
    "W28y+HEy/HF4MYmygjdEGWCy3Xtq2LrkLcnCP0JWCv6G2TV2gz5d4O7r4yK7QEDR4EWpMW"
    "4SB7dCfpIQCThKKneUBAp7XqU7oABzW7a5jSFVhbHtJ2eY/UR0ra0tmE7NsrTZM9Ua6Jb5"
    "1JHa2oLbB9nWNt5RIaynSnLGtH1aGAjTezITIWiPC2wdIKzPxBWasgdBxhyp1g9IJw/ERN"
    "MF1tlvOETDGUWPKptCtoXuyRPtMSrEv/kJsSZNfSDUGUO1EP89NBn7tt2vzhMjx5AyPFMs"
    "+8vuf+5Q+/ZPMrVirVgs0+GWkIUKYurA4ggWx4ZYHMPvdN4XL0yzwevXMHF7kzcsHuJVDM"
    "8wDeD5LT4/3Z0krxIYULTQGFi9FshkgqlRzJgdImkhxEfdHBAfdVMh5rdihgxXRhIoFcA5"
    "TgdGjRyxnxF5NO8KHKWCNTi2Bs9m7KbEUJSxCAckLVwiqp+2JmE/k8qnbTrKUSpYHtbjzD"
    "WhIgZPr/9G1s6GYbwNs2bCErcj0xFTYjEl8hgt795BptFo5vSqJUIrHNumzshyZVhEnz4p"
    "9+QpEaYV7e0Y5zz12zfGWNiyqdcCZhYws4CZpRlmFogXqjdeyDbVIvC63duIbl3RQqpWLK"
    "XOJwBHcSUSVZwZaYEpqVEpUaLtRQW9rGveO0Ep3Zev3rx6e3T8yo9F8VuyQlAk4SZ7Fm31"
    "ol5ctx3s44uuZaIRA+rtLensR1xdDk4nw4sfC64rIcoeCq55pHP/7L880Jl93OhDtlScD8"
    "94F3HRKbEdVB+UuNOw0W2Fqe933KgDsmI8ENNkauVmvIoM02AT057zbKZijUwl71WGbSog"
    "AfNUeWHKhdGf54WkXCkxcKM8NyAotZEMKfd2yGjh5SjPC5M8qFQaDpGeixAiaY1uUpnOtz"
    "INrhYXmdMhEpjK5acyg5HhsEwiPyFfU6ZyiKTBcmgl5u3Br5NsxH3r9vno4keve5wNMRPp"
    "albSCRGl3JUTok4TqknwbKRrT+4s2V/Pg/v0Iek24igswvUoJRTraQ6Tk+6luPM4wep0V4"
    "iEtA2ra8Irks8pkuUTiavsqr6yrcLVHKNU7YO6hghVqERVbTyfvdIMPCuIaIQIIiShttdW"
    "anslp20lsPojFZysOy2bmxfVyJtaNJEzmo1MDducSh2iLvG7n8dEwykJF6Gk2SsxUIum8r"
    "dawxZ5mrEsZNFNP84IV2Rc25tQRecVNVXDVK0n7yZELULUIkQtNkOthKjFeqMW/UWwbMzL"
    "ltHu/HI9uB6cFXx1XKoecj5v9Mvz/sWFCH7xrm708bXb5F5wr/31FadyPm/0d8OL/vnwN9"
    "EpuL7RT/sXp4Nz0exf3uhX16eng8EZH8C/ZGP0h+e8yfn0aHmLd9UpMTdqqPzFFoHEtEi3"
    "jLvd22BM2LZVnFpkVeyoCI8AvD/lvT8qVVJdbyeGoRGsp4h1EcIYC24ZZV1Ln9+yXfRPRq"
    "PzCPonw/ikvv5wMmDLi2AF66Q6ql7S10nmc8KkoQeiFFxdEoSwzpRYZ1ZkWmiZcftvP6Kl"
    "RctMWLfMGS8RJoF4CUm8xJ08FTwzYOIuJRcc9swiSR9mWi2Ud5qB05I+zNRyKHNOVduEPq"
    "xrSmfAfja6PjkfoMvx4HR4NXRZ4CvU4mZ0kxwP+ucpM7yE1SNGCh7zJps2TOORKjzsQyKA"
    "Zpf2DcigtG/ZbB8B4wpTSsrgHxACBzbigEl41ZtSPAiTAhc24sIjkzctItnX1zIhRAk8KM"
    "sDkbpZYiuI0u1QV3ixb4hPV7ZCCXuUmUSRyBBmY3Q7lmfdpkZKsXOsarZZKK49RAJa2gaH"
    "3T4Q3WKz9EuxxSRC1hq7w7bXFe4n0xS3Klo5z7V8CNDlmqzLrbBNyUZsl48AXG8y1zWCGc"
    "9SQi3TYxRiZG3wZdQdgO1ARlbGVBLpnrqlxahas6lVZkx3AYqccV9k0ZLRw5LV5CWLWtgs"
    "t0FFKYHLTebyXNVVuijF5hgp8LnJfIbUyu+By5BaCamVDYEaUit3s2ZBIuDuEwHzZKwxEV"
    "md46m1ab5a3x2nRYAnbdQVJPUN+DhtBQlSH3PBZGF6XwFIEzZMmyCqOzvUefVSUkT99zI7"
    "T1QJ1oH1B6H2EV8REb7lx4pixMgTB4/+EaT9/YFUfsgo0fkhowv2GIyts+QRp1UNKs1YDQ"
    "6z5W61eI4qpJlCmmk1ywukmW5sFi3qLd+6n7x1QU/37NcWUa29/i3M7K1eq14SStnWncQ3"
    "PccqRNIKiLedXgXnum0/1CkQsPJKSwEFGI6yDUd/OoVeNjUbufVi9hPRtVajYDoVtRnVrZ"
    "65On+KfhZYBNYoaCEbRB4NzT2qENmMbSZimhASoyH+COxfbIk2NvA/KLr65RzZlFCZUlZ6"
    "nDV6GNZUTEETA02spiUJNLGNIykNqspzTNMTpkMkbVLIKgvzcla9BKAZZ2d7BK3QBGKlcr"
    "pv89TK6b5NL5bD7yWFf7ZfFRRGo1QgkIJ0D9L9Pkn3khWgClBDp4K3FNjowtc01Ul4AlMU"
    "J89LuEZt8n2S65WmkU4QZTvxDBlzZPB/LPZoPaRaFGlseGohr6zDAcI668ZmD/c/qRTNeH"
    "+uCZlkarARhGZEV5h1ZvcYp3g/fMc4kVSytvi965xjlmt3FI8D2hloZzWtfKCdVZA+IPMq"
    "pLvJLLlLAfQygY5Y7wqg6fUHNFPOb96rUraXg4uzEkc3u2Q95F7IKtfmqz179fPw8lL0cS"
    "7iMkIudbryyrPYsshyVeRc+RAF5Pi1rrjIXkc5OChahoUlBU/Xw+8TAv4bFZnafpE1wL6j"
    "G2knv8tB9/q3L22mrtL9kMrbeo0LUnm/Ez5DvaydHWnObZhFgA8oAHcI3gP3XjMR3dfgvU"
    "tM6SNbX8aEOwFlfqhoj4NMb9TK7cu0GdY5dyDflMniaG6YCCOdPCJvlAOEqfAQXb3vP+++"
    "Pj5E15Q4riFZGF/JUST+IvAJgU8IfEKNlFwt457ohStlRKmqsbrv9GzculN6yldpq7w+W0"
    "M3/Fa8TTYttZiGyEDPbzh/i5a7CZGA3pOt99gUit3kOZ+dlq51U6vqMyZTVTAiqfO4tw4y"
    "lR1TdGr86eOgvYD2AtpLM/ZjOGC8Xi9l+MkSMKdXI4iRtcElvO2CBA/EpMUS6UIUEGEoCW"
    "iAcrvfw44A5Xah3G5DoIZyu/tmgIByu/ksENWU23UFlk2rfzq2hY+B9NMS0OutARpFLd1m"
    "E8J1relGCXN0vZ/6IlKpsxMDS3Jbatpxv9qZjJ4MDFmIYLMBm00zJXTQbCvPnfsiSU9Jt8"
    "643VthA9u2WYauyDSJdXqwqdd/o1DTPQK9rhjfYIvPu1dHiEDxyVZ8TN8/t6nmE3j69hPX"
    "tbpPZF41zP86ZwxfTHhsVkcu0Yc6rBPoRVdFBHrljjt1qZCgioWJ/uAUghR3WDPR5rwWCR"
    "MSmCRPQjGkPYSRc0g7rwvJhnxgJFQQz/FS1Z5koarb+2KIbm3Woga6BugaEN0K0a0FXrRt"
    "It+mlwmCW9vNX0fKKahmRYhAzcpWsxywqlCzrgjlJrF3/oD7Ce9abSsyvRqlbUU5IFO3Ej"
    "zK0Leo01cRv1fNW7JfVIFkE+e5qosij9xj8uSqOqKq45RX3J+bxpJpPodoLFSaGdePMHpc"
    "GJok7a+aIUFLataadABaEmz8qRv/fonvTRED9o7NjkWrzIsepQQpfh+4zNZmKvOypps9kp"
    "Tti8k76uawfRx1U20f/Na3uFYMKYGbSSeQErjDlMCYsXTzaLyoj6klgNcbjHe90gwcVYNi"
    "tw4ytUdbdGpA5iQvxGyL5whJhpAxCboe6HoNEQ/nKpOFCmZNhmlaETW2hcxJ9o1sobQcoA"
    "pgHadrnwj+MlcG0suMDKSXyQwkqv5FFFF1WyK/ZJ0EH6FrU3TplstFr7BpKWW5ICEGVmzG"
    "iqlh60VOYYgStQn9So8osVNO4sx3Rom95WM5O+PB6WD4scQxJT5hD/mXN/rp6MPl+WDCDx"
    "3xL2/0/sloLNrcixt98OvlcMxb3Iu4lynXNlH50SRg5v5OJFyouf498Bky/SHTvyFQQ6b/"
    "vvkVINM/n2Ohmkx/98TgTX0L+Y9WbthqkepViKttmyLkeAsu2UgtmpPb8L0IyNL9Lx6ia3"
    "0wis/FPPlSvLN7/LLF9oU7ghYGe2g3kA59MlWLCSlIw9Q6QHhuEVMkNgkjiSwNauPxpC4g"
    "95c5iwDTc2/ZDSiwAC4ecPE0UzFyX9EE91NtfwEB2P1kdj/wLezWoE0sfFdE3fT6t9BXWb"
    "2mGdndc0ewhYlA11wTw+aH8GysbPoj7Seu6+PYwvOqUek+Qs+XKgiuASBLNWBdagjOAhEc"
    "RHAQwRspgpMlViU1uTJEFo+gddUGuq/ziCysV0Z0VUJomal0peEnpWgkW5yuhRJiLeFV/j"
    "mURT0/CUJAPB/ipqGlzOz1oSYe7RYDTT4MPpwMxgW3hs7H4eDTYNxDzueN7ozSQ87njd4/"
    "+zC86CHxETd37iaGRKUKk9/UBwlvTgwGO9ZTpKowXYwvt4ywLsZ46/529+uT0eg8slWfDO"
    "O1Fa85h5+9FNCzTqqVovu7hmzli20waauMFUY+QClzTMPcSruxxvxp3FKGJrGZnMretgJ2"
    "Rglli9iwkb0xYT7I41bFK1WpJGmrv1Jbl7AVERe37X/eS5T467khQu06cj6WV13BDEqc/d"
    "5OpPxzHDdKJG1ZIdmoWOPU+9kUpLaWgZJ4KKoJjWkTRrXau/vEVKeLjszi7d46yLR546BT"
    "Y4zeqYKp1OYtkUVdwbO5lrdKPN/phu3UoxvSDUDpZze0wfRTS+oof6sKIOx2byG6tRjW3A"
    "TbJMLphziESOAch4LnOBRQbKvfz779HwudGpg="
)
