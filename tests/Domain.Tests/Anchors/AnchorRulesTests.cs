using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Muster.Domain.Anchors;
using Muster.Domain.Identity;

namespace Muster.Domain.Tests.Anchors;

public sealed class AnchorRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Add_OfANewMaker_IsAFactWithItsCertificates()
    {
        var decision = Add(AnchorSet.Empty, Spec("acme", "ACME-"), Root("r"), Mid("m"));

        var fact = Assert.IsType<AnchorAdded>(Assert.Single(decision.Events));
        Assert.Equal(["r", "m"], fact.Certificates.Select(one => one.Subject));
        Assert.Equal((1L, Now), (decision.Next.Revision, decision.Next.ChangedAt));
        Assert.Equal("acme", Assert.Single(decision.Next.Anchors).Spec.Id.Value);
    }

    [Fact]
    public void Add_OfWhatIsThere_ChangesNothing()
    {
        var set = Add(AnchorSet.Empty, Spec("acme", "ACME-"), Root("r"), Mid("m")).Next;

        var again = Add(set, Spec("acme", "ACME-"), Mid("m"), Root("r"));
        var more = Add(set, Spec("acme", "ACME-"), Root("r"), Root("r2"));

        Assert.Empty(again.Events);
        Assert.Null(again.Error);
        var fact = Assert.IsType<AnchorCertificatesAdded>(Assert.Single(more.Events));
        Assert.Equal("r2", Assert.Single(fact.Certificates).Subject);
        Assert.Equal(3, Assert.Single(more.Next.Anchors).Certificates.Length);
    }

    [Fact]
    public void Add_ToAnAnchorThatMaySpeakForOthers_IsRefused()
    {
        var set = Add(AnchorSet.Empty, Spec("acme", "ACME-"), Root("r")).Next;

        Assert.Equal("ALREADY_EXISTS", Add(set, Spec("acme", "OTHER-"), Root("r2")).Error?.Reason);
        Assert.Equal("ALREADY_EXISTS", Add(set, Axis("acme"), Root("r2")).Error?.Reason);
    }

    [Theory]
    [InlineData("ACME-", "ACME-", true)]
    [InlineData("", "", true)]
    [InlineData("ACME-", "", false)]
    [InlineData("ACME-", "ACME-X", false)]
    public void Add_OfAnotherMaker_IsRefusedWhenBothWouldSpeakForTheSame(string first, string second, bool isRefused)
    {
        var set = Add(AnchorSet.Empty, Spec("one", first), Root("r1")).Next;

        Assert.Equal(isRefused ? "ANCHOR_SERIALS_TAKEN" : null, Add(set, Spec("two", second), Root("r2")).Error?.Reason);
    }

    [Theory]
    [InlineData("B8A44F")]
    [InlineData("b8a44f12")]
    [InlineData("00408C")]
    public void Add_OfAMakerForSerialsOfAxis_IsRefused(string prefix) =>
        Assert.Equal("ANCHOR_SERIALS_TAKEN", Add(AnchorSet.Empty, Spec("acme", prefix), Root("r")).Error?.Reason);

    [Fact]
    public void Add_OfASecondAnchorForAxis_IsRefused()
    {
        var set = Add(AnchorSet.Empty, Axis("axis"), Root("r1")).Next;

        Assert.Equal("ANCHOR_SERIALS_TAKEN", Add(set, Axis("axis-2"), Root("r2")).Error?.Reason);
        Assert.Equal("ANCHOR_INVALID", Add(set, Axis("axis-2") with { SerialPrefixes = ["B8"] }, Root("r2")).Error?.Reason);
    }

    [Fact]
    public void Add_OfAnAuthorityThatAnotherAnchorHas_IsRefused()
    {
        var set = Add(AnchorSet.Empty, Spec("one", "A"), Root("r")).Next;
        var sameKey = Root("other") with { KeySha256 = Root("r").KeySha256 };

        Assert.Equal("ANCHOR_CERTIFICATE_TAKEN", Add(set, Spec("two", "B"), Root("r")).Error?.Reason);
        Assert.Equal("ANCHOR_CERTIFICATE_TAKEN", Add(set, Spec("two", "B"), sameKey).Error?.Reason);
    }

    [Fact]
    public void Add_AboveALimit_IsRefused()
    {
        var full = Enumerable.Range(0, AnchorRules.AnchorsMax)
            .Aggregate(AnchorSet.Empty, (set, i) => Add(set, Spec($"a{i}", $"A{i}-"), Root($"r{i}")).Next);
        var many = Enumerable.Range(0, AnchorRules.CertificatesMax + 1).Select(i => Root($"r{i}")).ToArray();

        Assert.Equal("LIMIT_REACHED", Add(full, Spec("one-more", "X"), Root("x")).Error?.Reason);
        Assert.Null(Add(AnchorSet.Empty, Spec("acme", "A"), many[..^1]).Error);
        Assert.Equal("LIMIT_REACHED", Add(AnchorSet.Empty, Spec("acme", "A"), many).Error?.Reason);
        var anchors = AnchorRules.CertificatesOfTenantMax / AnchorRules.CertificatesMax;
        var wide = Enumerable.Range(0, anchors).Aggregate(AnchorSet.Empty, (set, i) => Add(
            set,
            Spec($"a{i}", $"A{i}-"),
            [.. Enumerable.Range(0, AnchorRules.CertificatesMax).Select(n => Root($"{i}.{n}"))]).Next);
        Assert.Equal("LIMIT_REACHED", Add(wide, Spec("one-more", "X"), Root("x")).Error?.Reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("A\u0007")]
    public void Add_WithAPrefixThatIsNone_IsRefused(string prefix)
    {
        var spec = Spec("acme", "A") with { SerialPrefixes = [prefix] };

        Assert.Equal("ANCHOR_INVALID", Add(AnchorSet.Empty, spec, Root("r")).Error?.Reason);
    }

    [Fact]
    public void Add_OfAnIntermediateWithoutItsRoot_IsRefused() =>
        Assert.Equal("ANCHOR_ROOT_MISSING", Add(AnchorSet.Empty, Spec("acme", "A"), Mid("m")).Error?.Reason);

    [Fact]
    public void Remove_OfOneCertificateOrAll_IsAFact()
    {
        var set = Add(AnchorSet.Empty, Spec("acme", "A"), Root("r"), Mid("m")).Next;

        var part = Remove(set, "acme", Mid("m").Sha256);
        var all = Remove(set, "acme", null);
        var last = Remove(part.Next, "acme", Root("r").Sha256);

        Assert.Equal("m", Assert.IsType<AnchorCertificateRemoved>(Assert.Single(part.Events)).Certificate.Subject);
        Assert.Equal(2, Assert.IsType<AnchorRemoved>(Assert.Single(all.Events)).Certificates.Length);
        Assert.IsType<AnchorRemoved>(Assert.Single(last.Events));
        Assert.Empty(last.Next.Anchors);
        Assert.Equal(3, last.Next.Revision);
    }

    [Fact]
    public void Remove_OfWhatIsNotThere_IsNotFound()
    {
        var set = Add(AnchorSet.Empty, Spec("acme", "A"), Root("r"), Mid("m")).Next;

        Assert.Equal("NOT_FOUND", Remove(set, "none", null).Error?.Reason);
        Assert.Equal("NOT_FOUND", Remove(set, "acme", Mid("x").Sha256).Error?.Reason);
        Assert.Equal("ANCHOR_ROOT_MISSING", Remove(set, "acme", Root("r").Sha256).Error?.Reason);
    }

    [Theory]
    [InlineData("ACME-X1", "two")]
    [InlineData("ACME-1", "one")]
    [InlineData("acme-1", "three")]
    [InlineData("Z", "three")]
    public void FindSpeaker_OfNestedPrefixes_IsTheLongest(string serial, string expected)
    {
        ImmutableArray<AnchorSpec> specs = [Axis("axis"), Spec("one", "ACME-"), Spec("two", "ACME-X"), Spec("three", "")];

        Assert.Equal(expected, specs[AnchorProfiles.FindSpeaker(specs, serial)].Id.Value);
        Assert.Equal(-1, AnchorProfiles.FindSpeaker(specs[..3], "Z"));
    }

    private static Decision<AnchorSet> Add(AnchorSet current, AnchorSpec spec, params AnchorCertificate[] certificates) =>
        AnchorRules.Add(current, spec, [.. certificates], new PlayedReader(), Now);

    private static Decision<AnchorSet> Remove(AnchorSet current, string id, Sha256Hash? certificate) =>
        AnchorRules.Remove(current, Id(id), certificate, new PlayedReader(), Now);

    private static AnchorSpec Spec(string id, string prefix) =>
        new(Id(id), AnchorProfile.Ieee8021Ar, prefix.Length == 0 ? [] : [prefix]);

    private static AnchorSpec Axis(string id) => new(Id(id), AnchorProfile.Axis, []);

    private static AnchorCertificate Root(string name) => Certificate(name, isRoot: true);

    private static AnchorCertificate Mid(string name) => Certificate(name, isRoot: false);

    private static AnchorCertificate Certificate(string name, bool isRoot) =>
        new(Hash("c" + name), Hash("k" + name), isRoot, name, null, [1, 2, 3]);

    private static Sha256Hash Hash(string text) => Sha256Hash.Of(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static ResourceId Id(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    /// <summary>Every intermediate stands under any root.</summary>
    private sealed class PlayedReader : IAnchorCertificateReader
    {
        public (ImmutableArray<AnchorCertificate> Certificates, FleetError? Error) Read(
            string pem, AnchorProfile profile, DateTimeOffset now) => throw new NotSupportedException();

        public AnchorCertificate? FindLoose(ImmutableArray<AnchorCertificate> certificates) =>
            certificates.Any(one => one.IsRoot) ? null : certificates.FirstOrDefault();
    }
}
