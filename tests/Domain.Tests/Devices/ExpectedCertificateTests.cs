using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

/// <summary>A delivery may name the certificate of a device.</summary>
public sealed class ExpectedCertificateTests
{
    private static readonly Device Named = Units.InState(DeviceState.Expected) with
    {
        ExpectedCertificateSha256 = Units.Identity.CertificateSha256,
    };

    [Fact]
    public void TakeHello_OfTheCertificateExpected_EnrolsAndForgetsIt()
    {
        var enrolled = Units.Take(Named, Units.Hello("boot-1", 1));

        Assert.Equal((DeviceState.InService, null), (enrolled.State, enrolled.ExpectedCertificateSha256));
        Assert.Equal(Units.Identity, enrolled.Identity);
    }

    [Fact]
    public void Hello_OfAnotherCertificateThanExpected_IsRefused()
    {
        var other = Units.Identity with { CertificateSha256 = new string('d', 64) };
        var hello = Units.Hello("boot-1", 1) with { Origin = Units.From("boot-1", 1, identity: other), Model = "another model too" };

        var refused = DeviceMessages.CheckHello(Named, Units.Id, hello, Units.Start);

        Assert.Equal((ErrorKind.Denied, "CERTIFICATE_NOT_EXPECTED"), (refused!.Kind, refused.Reason));
        Assert.Contains(refused.Metadata, detail => detail is { Key: "expected", Value: var value } && value == new string('a', 64));
        Assert.Equal(DeviceState.Expected, Units.Take(Named, hello).State);
    }

    [Fact]
    public void Expect_RepeatedWithAnotherCertificate_IsAnotherRequestUntilItEnrols()
    {
        var other = Named with { ExpectedCertificateSha256 = new string('d', 64) };

        Assert.Empty(DeviceLifecycle.Expect(Named, Named).Events);
        Assert.Equal("REQUEST_ID_REUSED", DeviceLifecycle.Expect(Named, other).Error?.Reason);
        Assert.Equal("REQUEST_ID_REUSED", DeviceLifecycle.Expect(Named, Named with { ExpectedCertificateSha256 = null }).Error?.Reason);
        Assert.Null(DeviceLifecycle.Expect(Units.Take(Named, Units.Hello("boot-1", 1)), Named).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("aa")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void Expect_WithWhatIsNoFingerprint_IsRefused(string certificate) => Assert.Equal(
        "REQUEST_INVALID", DeviceLifecycle.Expect(null, Named with { ExpectedCertificateSha256 = certificate }).Error?.Reason);
}
