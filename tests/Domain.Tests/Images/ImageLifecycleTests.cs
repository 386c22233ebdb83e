using Muster.Domain.Catalogues;
using Muster.Domain.Images;
using Muster.Domain.Operators;

namespace Muster.Domain.Tests.Images;

public sealed class ImageLifecycleTests
{
    private static readonly DateTimeOffset Now = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ImageRevocation Revocation = new(Actor.Operator("dora"), "It bricks cameras.", Now, "r1");

    private static Image Draft { get; } = new()
    {
        Tenant = TenantId.Default,
        Digest = ImageDigest.Of(new byte[32]),
        Manifest = new ImageManifest("13.0.1", ImageTrack.Active, ["P3265-V"], 10),
        State = ImageState.Draft,
        Signature = [1],
        Signer = new ImageSigner("CN=Publisher", new string('c', 64)),
        RequestId = "request-1",
        CreatedAt = Now,
        UploadedBy = Actor.Operator("anna"),
        IsHeld = true,
    };

    [Theory]
    [InlineData(ImageState.Draft, null, ImageState.Published)]
    [InlineData(ImageState.Published, null, ImageState.Published)]
    [InlineData(ImageState.Revoked, "IMAGE_REVOKED", ImageState.Revoked)]
    [InlineData(ImageState.Verified, "IMAGE_NOT_FOUND", ImageState.Verified)]
    [InlineData(ImageState.Lost, "IMAGE_NOT_FOUND", ImageState.Lost)]
    public void Approve_InEveryState_IsDecided(ImageState state, string? reason, ImageState next)
    {
        var decision = ImageLifecycle.Approve(Draft with { State = state }, Order("bert", 1));

        Assert.Equal((reason, next), (decision.Error?.Reason, decision.Next.State));
    }

    [Theory]
    [InlineData(ImageState.Draft, null)]
    [InlineData(ImageState.Published, null)]
    [InlineData(ImageState.Revoked, null)]
    [InlineData(ImageState.Verified, "IMAGE_NOT_FOUND")]
    [InlineData(ImageState.Lost, "IMAGE_NOT_FOUND")]
    public void Revoke_InEveryState_IsDecided(ImageState state, string? reason)
    {
        var decision = ImageLifecycle.Revoke(Draft with { State = state }, Revocation);

        Assert.Equal(reason, decision.Error?.Reason);
        Assert.Equal(reason is null, decision.Next.State == ImageState.Revoked);
        Assert.Equal(state is ImageState.Draft or ImageState.Published, decision.Events is [ImageRevoked]);
    }

    [Theory]
    [InlineData(ImageState.Draft, "IMAGE_NOT_PUBLISHED")]
    [InlineData(ImageState.Published, null)]
    [InlineData(ImageState.Revoked, "IMAGE_REVOKED")]
    [InlineData(ImageState.Verified, "IMAGE_NOT_FOUND")]
    [InlineData(ImageState.Lost, "IMAGE_NOT_FOUND")]
    public void CheckUse_InEveryState_IsDecided(ImageState state, string? reason) =>
        Assert.Equal(reason, ImageLifecycle.CheckUse(Draft with { State = state })?.Reason);

    [Theory]
    [InlineData(ImageState.Draft, null)]
    [InlineData(ImageState.Published, "IMAGE_STATE_INVALID")]
    [InlineData(ImageState.Revoked, "IMAGE_REVOKED")]
    [InlineData(ImageState.Verified, "IMAGE_NOT_FOUND")]
    [InlineData(ImageState.Lost, "IMAGE_NOT_FOUND")]
    public void Restate_InEveryState_IsDecided(ImageState state, string? reason) =>
        Assert.Equal(reason, Restate(Draft with { State = state }, "anna").Error?.Reason);

    [Fact]
    public void Approve_ByTheUploaderOrTheAuthorOfTheStatement_IsRefused()
    {
        var restated = Restate(Draft, "emil").Next;

        Assert.Equal("APPROVER_IS_REQUESTER", ImageLifecycle.Approve(restated, Order("anna", 1, restated)).Error?.Reason);
        Assert.Equal("APPROVER_IS_REQUESTER", ImageLifecycle.Approve(restated, Order("emil", 1, restated)).Error?.Reason);
        Assert.Equal(ImageState.Published, ImageLifecycle.Approve(restated, Order("bert", 1, restated)).Next.State);
        Assert.Equal(ImageState.Published, ImageLifecycle.Approve(restated, Order("anna", 0, restated)).Next.State);
    }

    [Fact]
    public void Approve_TwiceByOneOperator_CountsOnce()
    {
        var once = ImageLifecycle.Approve(Draft, Order("bert", 2)).Next;
        var twice = ImageLifecycle.Approve(once, Order("bert", 2));

        Assert.Equal((ImageState.Draft, 0), (twice.Next.State, twice.Events.Length));
        Assert.Equal(ImageState.Published, ImageLifecycle.Approve(once, Order("carl", 2)).Next.State);
    }

    [Fact]
    public void Approve_OfAnotherStatement_NeverCounts()
    {
        var approved = ImageLifecycle.Approve(Draft, Order("bert", 2)).Next;
        var changed = approved with { Manifest = approved.Manifest with { Models = ["Q1656"] } };

        Assert.Empty(changed.ValidApprovals);
        Assert.Equal("IMAGE_STATEMENT_CHANGED", ImageLifecycle.Approve(changed, Order("carl", 2, approved)).Error?.Reason);
        Assert.Equal(ImageState.Draft, ImageLifecycle.Approve(changed, Order("carl", 2, changed)).Next.State);
    }

    [Fact]
    public void Approve_WithoutTheRoleOrWithoutHavingReadIt_IsRefused()
    {
        Assert.Equal(
            "APPROVER_ROLE_MISSING",
            ImageLifecycle.Approve(Draft, Order("bert", 0) with { Roles = [OperatorRole.Administrator] }).Error?.Reason);
        Assert.Equal("REQUEST_INVALID", ImageLifecycle.Approve(Draft, Order("bert", 1) with { Etag = "" }).Error?.Reason);
    }

    [Fact]
    public void Fingerprint_OfEveryFieldStated_IsAnother()
    {
        var release = new ImageRelease { Notes = "n" };
        var conditions = new ImageConditions { MinFromVersion = "1" };
        ImageManifest[] all =
        [
            Draft.Manifest,
            Draft.Manifest with { Version = "13.0.2" },
            Draft.Manifest with { Models = ["P3265-V", "Q1656"] },
            Draft.Manifest with { SizeBytes = 11 },
            Draft.Manifest with { Stated = release },
            Draft.Manifest with { Stated = release with { ReleasedOn = new DateOnly(2026, 9, 1) } },
            Draft.Manifest with { Stated = release with { SupportedFrom = new DateOnly(2026, 9, 1) } },
            Draft.Manifest with { Stated = release with { SupportedUntil = new DateOnly(2026, 9, 1) } },
            Draft.Manifest with { Stated = release with { FixedVulnerabilities = ["CVE-2025-9524"] } },
            Draft.Manifest with { Stated = release with { Sbom = "https://example.com" } },
            Draft.Manifest with { Stated = release with { Conditions = conditions } },
            Draft.Manifest with { Stated = release with { Conditions = new ImageConditions { Steps = ["1"] } } },
            Draft.Manifest with { Stated = release with { Conditions = new ImageConditions { SecurityFloor = "1" } } },
        ];

        Assert.Equal(all.Length, all.Select(manifest => manifest.Fingerprint).Distinct().Count());
    }

    private static Decision<Image> Restate(Image image, string author) => ImageLifecycle.Restate(
        image, image.Manifest with { Version = "13.0.2" }, Actor.Operator(author), CatalogueWord.None, Now);

    private static PublishOrder Order(string approver, int needed, Image? seen = null) =>
        new(Actor.Operator(approver), [OperatorRole.Approver], (seen ?? Draft).Manifest.Fingerprint, needed, Now);
}
