using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Domain.Images;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Images;

public sealed class LinkKeysGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly RecordKey Record = new(GrainTypes.LinkKeys, "0");

    [Fact]
    public async Task GetAsync_OverDays_MakesASecretADayAndKeepsItThroughARestart()
    {
        var grain = silo.Grains.GetLinkKeys();

        var first = await grain.GetAsync();
        await silo.ForgetAsync(Record);
        var again = await grain.GetAsync();
        silo.Clock.Advance(LinkKeys.SigningPeriod);
        var next = await grain.GetAsync();

        Assert.Equal(LinkKey.SecretBytes, Assert.Single(first.Keys).Secret.Length);
        Assert.Equal(first.Keys[0].Secret, again.Keys[0].Secret);
        Assert.Equal([2, 1], next.Keys.Select(key => key.Number));
        Assert.NotEqual(next.Keys[0].Secret, next.Keys[1].Secret);
        Assert.Equal([new LinkKeyMade(1), new LinkKeyMade(2)], silo.Store.FactsOf(Record).Select(fact => fact.Fact));
    }
}
