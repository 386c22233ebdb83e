using System.Collections.Immutable;
using Muster.Contracts.Anchors;
using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Anchors;
using Muster.Domain.Identity;
using Muster.Grains.Tests.Devices;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Anchors;

public sealed class AnchorSetGrainTests(DeviceSilo silo)
{
    [Fact]
    public async Task AddAsync_AndRemoveAsync_AreFactsWithTheActor()
    {
        var anchors = AnchorsOf("anchors-facts");

        var added = await anchors.AddAsync(Add("acme"));
        var again = await anchors.AddAsync(Add("acme"));
        var removed = await anchors.RemoveAsync(new RemoveAnchor(Unit.Anna, Id("acme"), null));

        Assert.Equal("acme", added.Anchor?.Spec.Id.Value);
        Assert.Equal("acme", again.Anchor?.Spec.Id.Value);
        Assert.Equal((null, null), (removed.Anchor, removed.Error));
        var entries = await silo.EntriesOfAsync(anchors.GetGrainId());
        Assert.Equal([typeof(AnchorAdded), typeof(AnchorRemoved)], entries.Select(entry => entry.Fact.GetType()));
        Assert.All(entries, entry => Assert.Equal(Unit.Anna, entry.Actor));
        Assert.Equal("NOT_FOUND", (await anchors.RemoveAsync(new RemoveAnchor(Unit.Anna, Id("acme"), null))).Error?.Reason);
    }

    [Fact]
    public async Task GetChangedAsync_AnswersOnlyWhatTheCallerDoesNotHave()
    {
        var anchors = AnchorsOf("anchors-changed");
        Assert.Null(await anchors.GetChangedAsync(0, default));
        await anchors.AddAsync(Add("acme"));

        var changed = await anchors.GetChangedAsync(0, default);

        Assert.Equal(1, changed?.Revision);
        Assert.Null(await anchors.GetChangedAsync(changed!.Revision, changed.ChangedAt));
        // A store that went back in time and on again: the same revision, another instant.
        Assert.NotNull(await anchors.GetChangedAsync(changed.Revision, changed.ChangedAt.AddTicks(1)));
        await silo.ForgetAsync(anchors.GetGrainId());
        Assert.Null(await anchors.GetChangedAsync(changed.Revision, changed.ChangedAt));
    }

    [Theory]
    [InlineData(StorageFault.Lost)]
    [InlineData(StorageFault.ReplyLost)]
    public async Task AddAsync_WhenTheWriteFails_NextCallSeesStoredState(StorageFault fault)
    {
        var anchors = AnchorsOf($"anchors-{(int)fault}");
        silo.FailNextWrite(anchors.GetGrainId(), fault);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => anchors.AddAsync(Add("acme")));

        Assert.Equal(fault == StorageFault.ReplyLost ? 1 : 0, (await anchors.GetAsync()).Revision);
        Assert.Null((await anchors.AddAsync(Add("acme"))).Error);
        Assert.Equal(1, (await anchors.GetAsync()).Revision);
    }

    [Fact]
    public async Task AddAsync_OfWhatTheReaderRefuses_ChangesNothing()
    {
        var anchors = AnchorsOf("anchors-refused");

        var reply = await anchors.AddAsync(Add("acme") with { Pem = PlayedReader.Bad });

        Assert.Equal("ANCHOR_PRIVATE_KEY", reply.Error?.Reason);
        Assert.Equal(0, (await anchors.GetAsync()).Revision);
    }

    private IAnchorSetGrain AnchorsOf(string tenant) =>
        silo.Grains.GetAnchorSet(TenantId.TryParse(tenant, out var id) ? id : throw new FormatException(tenant));

    private static AddAnchor Add(string id) => new(Unit.Anna, new AnchorSpec(Id(id), AnchorProfile.Ieee8021Ar, []), "one");

    private static ResourceId Id(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    /// <summary>Reads every text as one root.</summary>
    internal sealed class PlayedReader : IAnchorCertificateReader
    {
        public const string Bad = "bad";

        public (ImmutableArray<AnchorCertificate> Certificates, FleetError? Error) Read(
            string pem, AnchorProfile profile, DateTimeOffset now) =>
            pem == Bad
                ? ([], AnchorErrors.PrivateKey())
                : ([new AnchorCertificate(new Sha256Hash(1, 2, 3, 4), new Sha256Hash(5, 6, 7, 8), true, "CN=one", null, [1])], null);

        public AnchorCertificate? FindLoose(ImmutableArray<AnchorCertificate> certificates) => null;
    }
}
