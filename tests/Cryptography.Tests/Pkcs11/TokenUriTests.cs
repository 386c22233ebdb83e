using Muster.Cryptography.Pkcs11;

namespace Muster.Cryptography.Tests.Pkcs11;

public sealed class TokenUriTests
{
    [Fact]
    public void Parse_OfAWholeUri_GivesItsParts()
    {
        var (uri, fault) = TokenUri.Parse(
            "pkcs11:token=The%20fleet;object=muster%3B1;id=%01%FF%20;type=private?module-path=/usr/lib/m.so&pin-source=file:///etc/pin");

        Assert.Null(fault);
        Assert.Equal(("The fleet", "muster;1", "/usr/lib/m.so", "/etc/pin"), (uri!.Token, uri.Label, uri.ModulePath, uri.PinSource));
        Assert.Equal([1, 0xFF, 0x20], uri.Id);
    }

    [Theory]
    [InlineData("pkcs11:token=fleet")]
    [InlineData("pkcs11:object=a%2Fb;slot-id=7;token=caf%C3%A9?module-path=/a%20b/m.so&pin-source=/etc/pin")]
    [InlineData("pkcs11:id=%00%3B%FF;serial=0123")]
    public void ToString_IsReadAgainAsTheSame(string text)
    {
        var (uri, _) = TokenUri.Parse(text);

        var (again, fault) = TokenUri.Parse(uri!.ToString());

        Assert.Null(fault);
        Assert.Equal(uri.ToString(), again!.ToString());
        Assert.Equal((uri.Token, uri.Label, uri.SlotId, uri.ModulePath), (again.Token, again.Label, again.SlotId, again.ModulePath));
        Assert.Equal(uri.Id, again.Id);
    }

    [Theory]
    [InlineData("http://example.org", "begin")]
    [InlineData("pkcs11:token=a;token=b", "twice")]
    [InlineData("pkcs11:token", "NAME=VALUE")]
    [InlineData("pkcs11:token=%zz", "NAME=VALUE")]
    [InlineData("pkcs11:token=a;colour=red", "nothing else")]
    [InlineData("pkcs11:token=a;type=cert", "private")]
    [InlineData("pkcs11:slot-id=first", "slot-id")]
    [InlineData("pkcs11:token=a?module-path=lib.so", "module-path")]
    [InlineData("pkcs11:token=a?pin-source=%7Ccat%20/etc/pin", "no command")]
    [InlineData("pkcs11:token=a?pin-value=8642", "does not belong")]
    public void Parse_OfWhatIsNotTaken_SaysWhyAndRepeatsNoValue(string text, string reason)
    {
        var (uri, fault) = TokenUri.Parse(text);

        Assert.Null(uri);
        Assert.Contains(reason, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("8642", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void ReachedBy_AHost_IsTheSameKeyByTheHostsModule()
    {
        var ofCa = TokenUri.Parse("pkcs11:token=fleet;object=ca?module-path=/a.so&pin-source=/a").Uri!;

        var here = ofCa.ReachedBy(TokenUri.Parse("pkcs11:token=other;serial=7?module-path=/b.so").Uri!);

        Assert.Equal(("fleet", "ca", "7", "/b.so", "/a"), (here.Token, here.Label, here.Serial, here.ModulePath, here.PinSource));
    }
}
