"""The whole system on one machine. `./local/run` plays a sample day on it and judges the promises.

`stack` is what runs, `day` what is played on it, `judging` what became of it, `sabotage` what is broken on
purpose; each knows those before it.
`cli` is the command line, `play` joins the three, `terminal` and `report` speak to a person.
"""
