using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Muster.Gateway.Images;

namespace Muster.Gateway.Tests.Images;

/// <summary>RFC 9110 §13 and §14, for a file of 1,000 bytes with a strong tag and no date.</summary>
public sealed class ServedPartTests
{
    private const string Tag = "\"0123\"";
    private const int Length = 1_000;

    [Theory]
    [InlineData("bytes=0-0", 206, 0, 1)]
    [InlineData("bytes=0-", 206, 0, 1_000)]
    [InlineData("bytes=999-", 206, 999, 1)]
    [InlineData("bytes=100-199", 206, 100, 100)]
    [InlineData("bytes=900-5000", 206, 900, 100)]
    [InlineData("bytes=-1", 206, 999, 1)]
    [InlineData("bytes=-5000", 206, 0, 1_000)]
    [InlineData("Bytes=10-", 206, 10, 990)]
    [InlineData("bytes=1000-", 416, 0, 0)]
    [InlineData("bytes=4000-5000", 416, 0, 0)]
    [InlineData("bytes=-0", 416, 0, 0)]
    [InlineData("bytes=0-1,5-6", 200, 0, 1_000)]
    [InlineData("bytes=9-8", 200, 0, 1_000)]
    [InlineData("bytes=", 200, 0, 1_000)]
    [InlineData("bytes=a-b", 200, 0, 1_000)]
    [InlineData("bytes=99999999999999999999-", 200, 0, 1_000)]
    [InlineData("lines=0-1", 200, 0, 1_000)]
    public void Of_ARange_IsTheRfcsAnswer(string range, int status, long from, long length) =>
        Assert.Equal(new ServedPart(status, from, length), Ask("GET", (HeaderNames.Range, range)));

    [Theory]
    [InlineData("\"0123\"", 206)]
    [InlineData("\"other\"", 200)]
    [InlineData("W/\"0123\"", 200)]
    [InlineData("Sun, 29 Nov 2026 12:00:00 GMT", 200)]
    [InlineData("0123", 200)]
    [InlineData("*", 200)]
    public void Of_ARangeWithIfRange_HoldsForTheSameStrongTagOnly(string condition, int status) =>
        Assert.Equal(status, Ask("GET", (HeaderNames.Range, "bytes=10-19"), (HeaderNames.IfRange, condition)).Status);

    [Fact]
    public void Of_ARangeBeyondTheEndWithAnotherFilesTag_IsTheWholeFile() =>
        Assert.Equal(200, Ask("GET", (HeaderNames.Range, "bytes=5000-"), (HeaderNames.IfRange, "\"other\"")).Status);

    [Fact]
    public void Of_HeadWithARange_IsAsWithout() =>
        Assert.Equal(new ServedPart(200, 0, Length), Ask("HEAD", (HeaderNames.Range, "bytes=0-1")));

    [Theory]
    [InlineData("If-None-Match", "\"0123\"", 304)]
    [InlineData("If-None-Match", "W/\"0123\"", 304)]
    [InlineData("If-None-Match", "*", 304)]
    [InlineData("If-None-Match", "\"other\"", 206)]
    [InlineData("If-Match", "\"other\"", 412)]
    [InlineData("If-Match", "W/\"0123\"", 412)]
    [InlineData("If-Match", "\"other\", \"0123\"", 206)]
    [InlineData("If-Match", "*", 206)]
    [InlineData("If-Match", "0123", 412)]
    public void Of_APrecondition_IsLookedAtBeforeTheRange(string header, string value, int status) =>
        Assert.Equal(status, Ask("GET", (HeaderNames.Range, "bytes=0-1"), (header, value)).Status);

    private static ServedPart Ask(string method, params (string Name, string Value)[] headers)
    {
        var http = new DefaultHttpContext { Request = { Method = method } };
        foreach (var (name, value) in headers)
        {
            http.Request.Headers[name] = value;
        }

        return ServedPart.Of(http.Request, new EntityTagHeaderValue(Tag), Length);
    }
}
